"""What Slurm grants to a job, and when the job ends, is read from what Slurm sets and prints."""

import pytest
from hypothesis import strategies as st

from amounts import few_and_many, try_examples
from espei_hpc.batch import allocation, job_end
from espei_hpc.batch.slurm import Slurm

ASKED = 1_700_000_000.0
# What Slurm 22.05 sets, as far as it is read here.
JOB = {
    "SLURM_JOB_ID": "77",
    "SLURM_JOB_NODELIST": "node[1-2],node4",
    "SLURM_JOB_NUM_NODES": "3",
    "SLURM_NTASKS": "5",
    "SLURM_SUBMIT_DIR": "/home/user/work",
    "SLURM_TASKS_PER_NODE": "2(x2),1",
}


def test_job_is_named() -> None:
    job = allocation(JOB)
    assert job is not None
    assert (job.name, job.index) == ("Slurm job 77", "")


def test_job_has_its_hosts_and_the_tasks_on_each() -> None:
    job = allocation(JOB)
    assert job is not None
    assert list(job.ranks_on.items()) == [("node1", 2), ("node2", 2), ("node4", 1)]
    assert (job.ranks, job.nodes) == (5, 3)


def test_job_without_a_number_of_tasks_has_those_that_fit_its_hosts() -> None:
    job = allocation({name: value for name, value in JOB.items() if name != "SLURM_NTASKS"})
    assert job is not None
    assert job.ranks == 5


def test_step_on_one_of_the_jobs_hosts_does_not_know_the_ranks_of_the_others() -> None:
    job = allocation({**JOB, "SLURM_TASKS_PER_NODE": "1", "SLURM_NTASKS": "1"})
    assert job is not None
    assert job.ranks_on == {}
    assert (job.ranks, job.nodes) == (1, 3)


def test_job_of_an_array_tells_its_index() -> None:
    job = allocation({**JOB, "SLURM_ARRAY_TASK_ID": "3"})
    assert job is not None
    assert job.index == "3"


def test_cores_of_a_task_are_those_of_a_rank() -> None:
    job = allocation({**JOB, "SLURM_CPUS_PER_TASK": "4"})
    assert job is not None
    assert job.cores_per_rank == 4


def test_time_left_is_asked_of_squeue() -> None:
    job = allocation(JOB)
    assert job is not None
    assert job.question == ("squeue", "--noheader", "--jobs=77", "--format=%L")


def test_squeues_time_left_counts_from_when_it_was_asked() -> None:
    end = Slurm().answered("1-02:03:04\n", ASKED)
    assert end is not None
    assert (end.at - ASKED, end.known_by) == (93784, "squeue")


def test_job_without_a_limit_never_ends() -> None:
    end = Slurm().answered("UNLIMITED\n", ASKED)
    assert end is not None
    assert end.at == float("inf")


@pytest.mark.parametrize("answer", ["", "INVALID\n", "NOT_SET"])
def test_answer_that_tells_no_end_is_none(answer: str) -> None:
    assert Slurm().answered(answer, ASKED) is None


@few_and_many("examples", 50, 5000)
def test_any_answer_is_a_number_or_none(examples: int) -> None:
    def holds(text: str) -> None:
        end = Slurm().answered(text, ASKED)
        assert end is None or isinstance(end.at, float)

    try_examples(examples, holds, text=st.text())


def test_slurms_variable_is_the_end() -> None:
    end = job_end({**JOB, "SLURM_JOB_END_TIME": "1700000000"})
    assert end is not None
    assert (end.at, end.known_by) == (ASKED, "SLURM_JOB_END_TIME")


def test_variable_that_is_no_time_is_no_end() -> None:
    assert job_end({**JOB, "SLURM_JOB_END_TIME": "later"}) is None
