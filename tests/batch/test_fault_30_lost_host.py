"""A host that is cut off mid-fit, and comes back or not (row 30)."""

import time

import pytest

from batch.slurm.login import Login
from fits import Chain, run_stock, write_fit

ITERATIONS = 120
CUT_OFF_SECONDS = 6.0
"""Less than after which Slurm gives a node up."""


def submit(slurm: Login, options: str = "") -> str:
    """Submit a fit over three nodes: script, client and scheduler on the first, workers on the others."""
    path = write_fit(slurm.directory, ITERATIONS)
    slurm.own()
    # A job of which a node is lost ends where Slurm may end it, and there would be nothing to see.
    asked = ("--nodes=3", "--ntasks=3", "--no-kill", "--no-requeue")
    return slurm.submit(f"espei-mpi --in {path.name} {options}", *asked)


def assert_finished_with_stocks_chain(slurm: Login, job: str) -> None:
    """Wait for the job's end, and compare."""
    assert slurm.finish(job, seconds=300)["ExitCode"] == "0:0", slurm.output(job)
    fitted = Chain.load(slurm.directory)
    for name in ("trace.npy", "lnprob.npy", "fitted.tdb"):
        (slurm.directory / name).unlink()
    run_stock(slurm.directory, slurm.directory / "x.yaml")
    assert fitted.equals(Chain.load(slurm.directory))


def test_fault_30_worker_host_cut_off_for_a_while_costs_nothing(slurm: Login) -> None:
    job = submit(slurm)
    slurm.wait_for_output(job, "iteration 1 of")
    slurm.cluster.unplug("node3")
    time.sleep(CUT_OFF_SECONDS)
    slurm.cluster.repair()
    assert_finished_with_stocks_chain(slurm, job)
    slurm.wait_until_nothing_runs()


@pytest.mark.parametrize("launcher", ["mpirun.openmpi", "mpirun.mpich", "srun --mpi=pmix"])
def test_fault_30_worker_host_cut_off_for_good_is_left_out(launcher: str, slurm: Login) -> None:
    job = submit(slurm, f"--launcher '{launcher}'")
    slurm.wait_for_output(job, "iteration 1 of")
    slurm.cluster.unplug("node3")
    slurm.wait_for_output(job, "node3 is left out: it does not answer")
    assert_finished_with_stocks_chain(slurm, job)
    slurm.cluster.repair()
    slurm.wait_until_nothing_runs()
