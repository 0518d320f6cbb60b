"""What a launcher without MPI tells a rank, and when MPI is not even tried."""

import pytest

from espei_hpc.cluster import place
from espei_hpc.cluster.place import RankPlace

SRUN = {"SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "3"}


@pytest.mark.parametrize(
    ("environment", "launcher"),
    [
        (SRUN, "srun"),
        ({"FLUX_TASK_RANK": "1", "FLUX_JOB_SIZE": "3"}, "Flux"),
        ({"PALS_RANKID": "1", "PALS_SIZE": "3"}, "PALS"),
        ({"PALS_RANKID": "1", "PMI_RANK": "1", "PMI_SIZE": "3"}, "PALS"),
        ({"JSM_NAMESPACE_RANK": "1", "JSM_NAMESPACE_SIZE": "3"}, "jsrun"),
    ],
)
def test_launchers_variables_tell_rank_and_size(environment: dict[str, str], launcher: str) -> None:
    assert place.find(environment, None) == RankPlace(launcher, 1, 3)


def test_pbsdsh_tells_the_rank_alone_so_the_size_is_what_was_asked_for() -> None:
    task = {"PBS_VNODENUM": "1", "PBS_TASKNUM": "146"}
    assert place.find(task, 3) == RankPlace("pbsdsh", 1, 3)
    assert place.find(task, None) is None


def test_variables_of_a_pbs_jobs_own_script_tell_nothing_of_a_rank() -> None:
    assert place.find({"PBS_VNODENUM": "0", "PBS_TASKNUM": "1"}, 3) is None


def test_batch_script_of_a_slurm_job_is_no_rank() -> None:
    assert place.find({"SLURM_PROCID": "0", "SLURM_NTASKS": "3"}, 3) is None


def test_flux_inside_a_slurm_step_counts_its_own_ranks() -> None:
    broker = {"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "2"}
    found = place.find(broker | {"FLUX_TASK_RANK": "5", "FLUX_JOB_SIZE": "8"}, None)
    assert found == RankPlace("Flux", 5, 8)


@pytest.mark.parametrize(
    "mpirun",
    [
        {"OMPI_COMM_WORLD_SIZE": "3", "PMIX_RANK": "1"},
        {"MPI_LOCALNRANKS": "1", "PMI_RANK": "1", "PMI_SIZE": "3", "PMI_FD": "7"},  # Hydra
    ],
)
def test_mpirun_whose_daemons_srun_started_is_an_mpirun(mpirun: dict[str, str]) -> None:
    assert place.find(SRUN | mpirun, 3) is None


@pytest.mark.parametrize("other", [{"PMIX_RANK": "0"}, {"PMI_RANK": "2"}, {"PMI_SIZE": "12"}])
def test_pmi_with_other_numbers_belongs_to_another_launcher(other: dict[str, str]) -> None:
    assert place.find(SRUN | other, None) is None


def test_without_a_pmi_mpi_is_not_tried() -> None:
    assert "srun sets rank and size" in str(place.why_no_mpi(RankPlace("srun", 1, 3), SRUN))


@pytest.mark.parametrize("server", [{"PMIX_RANK": "1"}, {"PMI_FD": "7"}, {"PMI_PORT": "n1:4711"}])
def test_with_a_server_of_a_pmi_mpi_is_tried(server: dict[str, str]) -> None:
    assert place.why_no_mpi(RankPlace("srun", 1, 3), SRUN | server) is None


def test_pmi_of_a_cray_is_left_to_an_mpi_that_somebody_named() -> None:
    cray = SRUN | {"PALS_RANKID": "1", "PMI_RANK": "1", "PMI_SIZE": "3"}
    found = RankPlace("srun", 1, 3)
    assert place.why_no_mpi(found, cray) is not None
    assert place.why_no_mpi(found, cray | {"MPI4PY_LIBMPI": "/opt/cray/libmpi.so.12"}) is None
