"""The batch system and what it has granted are told from the variables that it sets."""

from pathlib import Path

import pytest

from espei_hpc.batch import BatchSystem, allocation

# What Slurm 22.05 sets, as far as it is read here.
SLURM = {
    "SLURM_JOB_ID": "77",
    "SLURM_JOB_NODELIST": "node[1-2],node4",
    "SLURM_JOB_NUM_NODES": "3",
    "SLURM_NTASKS": "5",
    "SLURM_SUBMIT_DIR": "/home/user/work",
    "SLURM_TASKS_PER_NODE": "2(x2),1",
}
# OpenPBS 23.06; NCPUS and OMP_NUM_THREADS are the job's cores on its first host.
OPENPBS = {
    "NCPUS": "4",
    "OMP_NUM_THREADS": "4",
    "PBS_ENVIRONMENT": "PBS_BATCH",
    "PBS_JOBDIR": "/home/user",
    "PBS_JOBID": "41.head",
    "PBS_NODENUM": "0",
    "PBS_O_WORKDIR": "/home/user/work",
    "PBS_QUEUE": "workq",
    "PBS_TASKNUM": "1",
}
TORQUE = {
    "PBS_ENVIRONMENT": "PBS_BATCH",
    "PBS_JOBID": "4100326.master",
    "PBS_NODENUM": "0",
    "PBS_NP": "3",
    "PBS_NUM_NODES": "2",
    "PBS_NUM_PPN": "2",
    "PBS_O_WORKDIR": "/home/user/work",
    "PBS_TASKNUM": "1",
    "PBS_VERSION": "TORQUE-6.1.3",
    "PBS_WALLTIME": "3600",
}
GRID_ENGINE = {
    "JOB_ID": "9",
    "NHOSTS": "2",
    "NSLOTS": "6",
    "RESTARTED": "0",
    "SGE_O_WORKDIR": "/home/user/work",
    "SGE_TASK_ID": "undefined",
}


def test_outside_of_a_job_there_is_no_allocation() -> None:
    assert allocation({"JOB_ID": "9", "PBS_NODEFILE": "/dev/null", "SLURM_CONF": "/etc/slurm.conf"}) is None


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        (SLURM, "Slurm job 77"),
        (OPENPBS, "PBS job 41.head"),
        (TORQUE, "Torque job 4100326.master"),
        (GRID_ENGINE, "Grid Engine job 9"),
    ],
)
def test_batch_system_is_told_by_its_variables(environment: dict[str, str], name: str) -> None:
    job = allocation(environment)
    assert job is not None
    assert job.name == name
    assert job.index == ""


def test_slurm_job_has_its_hosts_and_the_tasks_on_each() -> None:
    job = allocation(SLURM)
    assert job is not None
    assert list(job.ranks_on.items()) == [("node1", 2), ("node2", 2), ("node4", 1)]
    assert (job.ranks, job.nodes) == (5, 3)


def test_slurm_job_without_a_number_of_tasks_has_those_that_fit_its_hosts() -> None:
    job = allocation({name: value for name, value in SLURM.items() if name != "SLURM_NTASKS"})
    assert job is not None
    assert job.ranks == 5


def test_slurm_step_on_one_of_the_jobs_hosts_does_not_know_the_ranks_of_the_others() -> None:
    job = allocation({**SLURM, "SLURM_TASKS_PER_NODE": "1", "SLURM_NTASKS": "1"})
    assert job is not None
    assert job.ranks_on == {}
    assert (job.ranks, job.nodes) == (1, 3)


@pytest.mark.parametrize("environment", [OPENPBS, TORQUE])
def test_pbs_job_has_a_rank_for_each_line_of_its_node_file(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "nodes").write_text("node2\nnode2\nnode1\n")
    job = allocation({**environment, "PBS_NODEFILE": str(tmp_path / "nodes")})
    assert job is not None
    assert list(job.ranks_on.items()) == [("node2", 2), ("node1", 1)]
    assert (job.ranks, job.nodes) == (3, 2)


def test_node_file_that_a_container_does_not_see_is_handed_over() -> None:
    # As `uniq -c` prints the file.
    handed = {"PBS_NODEFILE": "/var/spool/pbs/aux/41.head", "ESPEI_HPC_NODES": "      2 node2\n      1 node1"}
    job = allocation({**OPENPBS, **handed})
    assert job is not None
    assert list(job.ranks_on.items()) == [("node2", 2), ("node1", 1)]


def test_pbs_job_whose_node_file_is_not_there_has_an_unknown_number_of_ranks() -> None:
    job = allocation({**OPENPBS, "PBS_NODEFILE": "/nowhere/41.head"})
    assert job is not None
    assert (job.ranks_on, job.ranks, job.nodes) == ({}, None, None)


def test_grid_engine_job_has_the_slots_of_its_host_file(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("n1 4 all.q@n1 UNDEFINED\nn2 2 all.q@n2 UNDEFINED\n")
    job = allocation({**GRID_ENGINE, "PE_HOSTFILE": str(tmp_path / "hosts")})
    assert job is not None
    assert dict(job.ranks_on) == {"n1": 4, "n2": 2}
    assert (job.ranks, job.nodes) == (6, 2)


@pytest.mark.parametrize(
    ("environment", "variable"),
    [
        (SLURM, "SLURM_ARRAY_TASK_ID"),
        (OPENPBS, "PBS_ARRAY_INDEX"),
        (TORQUE, "PBS_ARRAYID"),
        (GRID_ENGINE, "SGE_TASK_ID"),
    ],
)
def test_job_of_an_array_tells_its_index(environment: dict[str, str], variable: str) -> None:
    job = allocation({**environment, variable: "3"})
    assert job is not None
    assert job.index == "3"


@pytest.mark.parametrize(
    ("environment", "system", "question"),
    [
        (SLURM, BatchSystem.SLURM, ("squeue", "--noheader", "--jobs=77", "--format=%L")),
        (OPENPBS, BatchSystem.PBS, ("qstat", "-f", "41.head")),
        (GRID_ENGINE, BatchSystem.GRID_ENGINE, ()),
    ],
)
def test_batch_system_is_asked_in_its_own_words(
    environment: dict[str, str], system: BatchSystem, question: tuple[str, ...]
) -> None:
    job = allocation(environment)
    assert job is not None
    assert (job.system, job.question) == (system, question)
