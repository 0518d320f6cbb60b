"""A host that is cut off mid-fit, and comes back or not (row 30)."""

import time
from contextlib import suppress
from pathlib import Path

import pytest

from batch.slurm.login import Login
from fits import Chain, write_fit
from support import wait_until

CUT_OFF_SECONDS = 6.0
"""Less than after which Slurm gives a node up."""
END = 360.0
"""Seconds in which all of a run ends, whatever is cut off."""


def submit(slurm: Login, options: str = "") -> str:
    """Submit a fit over three nodes: script, client and scheduler on the first, workers on the others."""
    if not (slurm.directory / "x.yaml").exists():
        write_fit(slurm.directory, iterations=30)
    slurm.own()
    # A job of which a node is lost ends where Slurm may end it, and there would be nothing to see.
    asked = ("--nodes=3", "--ntasks=3", "--no-kill", "--no-requeue")
    return slurm.submit(f"espei-mpi --in x.yaml {options}; echo code $?", *asked)


def finish(slurm: Login, job: str) -> Chain:
    """Wait until the fit has ended well, and return its chain."""
    wait_until(lambda: "\ncode " in slurm.output(job), "the fit's end", END)
    assert slurm.output(job).endswith("code 0\n"), slurm.output(job)
    return Chain.load(slurm.directory)


def test_fault_30_worker_host_cut_off_for_a_while_costs_nothing(slurm: Login, stock_chain: Chain) -> None:
    job = submit(slurm)
    slurm.wait_for_output(job, "iteration 1 of")
    slurm.cluster.unplug("node3")
    time.sleep(CUT_OFF_SECONDS)
    slurm.cluster.repair()
    assert finish(slurm, job).equals(stock_chain)
    assert "restarting the cluster" not in slurm.output(job)
    slurm.wait_until_nothing_runs()


@pytest.mark.parametrize(
    "launcher", ["mpirun.openmpi", pytest.param("srun --mpi=pmix", marks=pytest.mark.long)]
)
def test_fault_30_worker_host_cut_off_for_good_is_left_out(
    launcher: str, slurm: Login, stock_chain: Chain
) -> None:
    job = submit(slurm, f"--launcher '{launcher}'")
    slurm.wait_for_output(job, "iteration 1 of")
    slurm.cluster.unplug("node3")
    slurm.wait_for_output(job, "excluding host node3: it does not answer")
    assert finish(slurm, job).equals(stock_chain)
    slurm.cluster.repair()
    # Slurm ends what the launcher has left there, once it reaches the node again. Its own process for a
    # step whose srun is gone may stay for minutes, with nothing of the job in it.
    slurm.cluster.wait_until_idle()
    slurm.wait_until_nothing_runs(but="slurmstepd")


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_fault_30_schedulers_host_cut_off_for_good_ends_all_and_the_same_command_goes_on(
    slurm: Login, stock_chain: Chain
) -> None:
    job = submit(slurm)
    slurm.wait_for_output(job, "iteration 1 of")
    slurm.cluster.unplug("node1")
    with suppress(AssertionError):
        wait_until(lambda: not ours(slurm), "the end of all processes, by themselves", END)
    assert ours(slurm) == []
    told = Path(slurm.directory / f"slurm-{job}.out").read_text()
    assert "too few ranks are left" in told
    assert told.endswith("code 69\n")
    slurm.cluster.repair()
    slurm.run("scancel", job)
    slurm.cluster.wait_until_idle()
    job = submit(slurm)
    assert finish(slurm, job).equals(stock_chain)
    assert "resuming after iteration" in slurm.output(job)
    slurm.wait_until_nothing_runs()


def ours(slurm: Login) -> list[str]:
    """Return what runs of the fit anywhere, but for the launcher's own on hosts that it cannot reach."""
    names = ("espei_hpc rank", "espei_hpc fit", "espei-mpi")
    there = slurm.processes()
    found = [line for lines in there.values() for line in lines if any(name in line for name in names)]
    return found + [line for line in there.get("node1", []) if not line.startswith("slurmstepd")]
