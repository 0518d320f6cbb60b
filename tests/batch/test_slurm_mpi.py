"""Every launcher of the cluster gives the project's ranks one world over four nodes."""

import pytest

from batch.slurm import NODES
from batch.slurm.login import Login
from espei_hpc.doctor.probe import reports

LAUNCHERS = {
    "srun --mpi=pmix": "libmpi.so.40",
    "srun --mpi=pmi2": "libmpi.so.12",
    "mpirun.openmpi -n 4": "libmpi.so.40",
    "mpirun.mpich -n 4": "libmpi.so.12",
    "srun --mpi=none": None,
}
"""The library that ranks have loaded; None for ranks without MPI."""


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_ranks_are_one_world_over_four_nodes(launcher: str, slurm: Login) -> None:
    trial = "espei-hpc probe --dir $(mktemp --directory --tmpdir=.) --ranks 4 --seconds 300"
    job = slurm.submit(f"{launcher} {trial}", "--nodes=4", "--ntasks=4")
    assert slurm.finish(job)["JobState"] == "COMPLETED", slurm.output(job)
    ranks = sorted(reports(slurm.output(job)), key=lambda told: told["rank"])
    assert [told["rank"] for told in ranks] == [0, 1, 2, 3]
    assert sorted(told["host"] for told in ranks) == NODES
    for told in ranks:
        assert told["size"] == 4
        assert told.get("library", "").rpartition("/")[2] == (LAUNCHERS[launcher] or "")
    slurm.wait_until_nothing_runs()
