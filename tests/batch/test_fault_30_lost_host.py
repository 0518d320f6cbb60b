"""A host that is cut off mid-fit, and comes back (row 30)."""

import time

from batch.slurm.login import Login
from fits import Chain, run_stock, write_fit

ITERATIONS = 120
CUT_OFF_SECONDS = 6.0
"""Less than after which Slurm gives a node up."""


def test_fault_30_worker_host_cut_off_for_a_while_costs_nothing(slurm: Login) -> None:
    path = write_fit(slurm.directory, ITERATIONS)
    slurm.own()
    # A job of which a node is lost ends where Slurm may end it, and there would be nothing to see.
    job = slurm.submit(f"espei-mpi --in {path.name}", "--nodes=3", "--ntasks=3", "--no-kill", "--no-requeue")
    slurm.wait_for_output(job, "iteration 1 of")
    slurm.cluster.unplug("node3")
    time.sleep(CUT_OFF_SECONDS)
    slurm.cluster.repair()
    assert slurm.finish(job, seconds=300)["ExitCode"] == "0:0", slurm.output(job)
    fitted = Chain.load(slurm.directory)
    slurm.wait_until_nothing_runs()
    for name in ("trace.npy", "lnprob.npy", "fitted.tdb"):
        (slurm.directory / name).unlink()
    run_stock(slurm.directory, path)
    assert fitted.equals(Chain.load(slurm.directory))
