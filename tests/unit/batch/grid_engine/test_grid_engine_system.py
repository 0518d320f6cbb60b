"""What Grid Engine grants to a job is read from what it sets."""

from pathlib import Path

import pytest

from espei_hpc.batch import allocation, hosts

JOB = {
    "JOB_ID": "9",
    "NHOSTS": "2",
    "NSLOTS": "6",
    "RESTARTED": "0",
    "SGE_O_WORKDIR": "/home/user/work",
    "SGE_TASK_ID": "undefined",
}


def test_job_is_named() -> None:
    job = allocation(JOB)
    assert job is not None
    assert (job.name, job.index) == ("Grid Engine job 9", "")


def test_job_has_the_slots_of_its_host_file(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("n1 4 all.q@n1 UNDEFINED\nn2 2 all.q@n2 UNDEFINED\n")
    job = allocation({**JOB, "PE_HOSTFILE": str(tmp_path / "hosts")})
    assert job is not None
    assert dict(job.ranks_on) == {"n1": 4, "n2": 2}
    assert (job.ranks, job.nodes) == (6, 2)


def test_job_of_an_array_tells_its_index() -> None:
    job = allocation({**JOB, "SGE_TASK_ID": "3"})
    assert job is not None
    assert job.index == "3"


def test_end_is_asked_of_nobody() -> None:
    job = allocation(JOB)
    assert job is not None
    assert (job.question, job.end) == ((), None)


def test_ranks_of_one_host_in_several_queues_are_added() -> None:
    text = "n1 4 all.q@n1 UNDEFINED\nn2 2 all.q@n2 UNDEFINED\nn1 1 long.q@n1 UNDEFINED\n"
    assert hosts.counted(text, host=0, number=1) == {"n1": 5, "n2": 2}


@pytest.mark.parametrize("text", ["n1", "n1 many"])
def test_line_without_a_number_of_ranks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"number of ranks|invalid literal"):
        hosts.counted(text, host=0, number=1)
