"""A host that is cut off mid-fit: the fit goes on, or ends in time and goes on exactly (row 30)."""

import pytest

from batch.slurm.login import Login
from fits import Chain, run_stock, write_fit
from support import wait_until

ITERATIONS = 120
# A job of which a node is lost ends where Slurm may end it, and there would be nothing to see.
JOB = ("--nodes=3", "--ntasks=3", "--no-kill", "--no-requeue")
END = 300.0
"""Seconds in which all of it ends, whatever was cut off."""


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """The fit's chain as stock ESPEI computes it."""
    directory = tmp_path_factory.mktemp("stock-30")
    run_stock(directory, write_fit(directory, ITERATIONS))
    return Chain.load(directory)


def submit(slurm: Login) -> str:
    """Submit a fit over three nodes: script, client and scheduler on the first, workers on the others."""
    path = slurm.directory / "x.yaml"
    if not path.exists():
        write_fit(slurm.directory, ITERATIONS)
    slurm.own()
    return slurm.submit("espei-mpi --in x.yaml; echo code $?", *JOB)


def code(slurm: Login, job: str) -> int:
    """Wait until the script has told the fit's exit code."""
    wait_until(lambda: "\ncode " in slurm.output(job), "the fit's end", END)
    return int(slurm.output(job).rpartition("\ncode ")[2])


def test_fault_30_worker_host_cut_off_for_a_while_costs_nothing(slurm: Login, chain: Chain) -> None:
    job = submit(slurm)
    slurm.wait_for_output(job, "iteration 1 of")
    slurm.cluster.unplug("node3")
    # Less than after which Slurm gives a node up.
    with pytest.raises(AssertionError, match="not within"):
        wait_until(lambda: False, "some seconds", 6)
    slurm.cluster.repair()
    assert code(slurm, job) == 0, slurm.output(job)
    assert Chain.load(slurm.directory).equals(chain)
    slurm.wait_until_nothing_runs()


def ours(slurm: Login) -> list[str]:
    """Return what runs of the fit anywhere; Slurm clears up after itself when it can."""
    return [line for lines in slurm.processes().values() for line in lines if "espei" in line]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("node", ["node3", "node1"], ids=["a worker's", "the scheduler's"])
def test_fault_30_host_that_stays_cut_off_ends_the_run_in_time_and_the_same_command_goes_on(
    node: str, slurm: Login, chain: Chain
) -> None:
    job = submit(slurm)
    slurm.wait_for_output(job, "iteration 1 of")
    slurm.cluster.unplug(node)
    wait_until(lambda: not ours(slurm), "the end of all processes, without anyone's help", END)
    assert "\ncode 0" not in slurm.output(job)
    slurm.cluster.repair()
    slurm.run("scancel", job)
    slurm.cluster.wait_until_idle()
    job = submit(slurm)
    assert code(slurm, job) == 0, slurm.output(job)
    assert "going on after iteration" in slurm.output(job)
    assert Chain.load(slurm.directory).equals(chain)
    slurm.wait_until_nothing_runs()
