"""A fit inside a job of many nodes is stock ESPEI's fit."""

import json

import pytest

from batch.slurm import NODES
from batch.slurm.login import Login
from fits import Chain, write_fit


@pytest.mark.parametrize(
    "options",
    [
        # Of which a host is cut off: test_fault_30_lost_host.py.
        pytest.param("", id="mpirun", marks=pytest.mark.long),
        pytest.param("--launcher 'srun --mpi=pmix'", id="srun"),
    ],
)
def test_fit_over_four_nodes_equals_stock(options: str, slurm: Login, stock_chain: Chain) -> None:
    path = write_fit(slurm.directory, iterations=30)
    slurm.own()
    job = slurm.submit(f"espei-mpi --in {path.name} {options}", "--nodes=4", "--ntasks=4")
    slurm.wait_for_output(job, "iteration 1 of 30")
    assert peers_of_scheduler(slurm) == {slurm.cluster.hosts[node].address for node in NODES}
    assert slurm.finish(job)["ExitCode"] == "0:0", slurm.output(job)
    assert "cluster ready: 3 workers" in slurm.output(job)
    assert Chain.load(slurm.directory).equals(stock_chain)


def peers_of_scheduler(slurm: Login) -> set[str]:
    """Return the addresses that are connected to the fit's scheduler: workers, and the fit beside it."""
    (file,) = slurm.directory.glob("x.run/cluster/*/scheduler.json")
    host, _, port = json.loads(file.read_text())["address"].removeprefix("tls://").rpartition(":")
    (node,) = (node for node in NODES if slurm.cluster.hosts[node].address == host)
    told = slurm.cluster.hosts[node].run(
        *("ss", "--no-header", "--numeric", "--tcp", "state", "established", f"( sport = :{port} )")
    )
    return {line.split()[-1].rpartition(":")[0] for line in told.splitlines()}
