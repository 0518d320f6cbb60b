"""What LSF grants to a job, and when the job ends, is read from what it sets and prints, by its manual."""

import pytest
from hypothesis import strategies as st

from amounts import few_and_many, try_examples
from espei_hpc.batch import allocation, job_end
from espei_hpc.batch.lsf import Lsf

ASKED = 1_700_000_000.0
# Of version 10.1, as far as it is read here, and what is beside it.
JOB = {
    "LSB_BATCH_JID": "1234",
    "LSB_DJOB_HOSTFILE": "/home/user/.lsbatch/1700000000.1234.hostfile",
    "LSB_DJOB_NUMPROC": "6",
    "LSB_HOSTS": "hostA hostA hostA hostA hostB hostB",
    "LSB_JOBID": "1234",
    "LSB_JOBINDEX": "0",
    "LSB_JOBNAME": "fit",
    "LSB_MCPU_HOSTS": "hostA 4 hostB 2",
    "LSB_QUEUE": "normal",
    "LSB_SUB_HOST": "login1",
    "LS_SUBCWD": "/home/user/work",
}


def test_job_is_named_and_in_no_array() -> None:
    job = allocation(JOB)
    assert job is not None
    assert (job.name, job.index) == ("LSF job 1234", "")


def test_job_has_the_slots_of_its_hosts() -> None:
    job = allocation(JOB)
    assert job is not None
    assert list(job.ranks_on.items()) == [("hostA", 4), ("hostB", 2)]
    assert (job.ranks, job.nodes) == (6, 2)


def test_job_without_a_number_of_slots_has_those_of_its_hosts() -> None:
    job = allocation({name: value for name, value in JOB.items() if name != "LSB_DJOB_NUMPROC"})
    assert job is not None
    assert job.ranks == 6


@pytest.mark.parametrize("hosts", ["", "hostA", "hostA 4 hostB", "hostA four"])
def test_hosts_that_cannot_be_read_are_unknown(hosts: str) -> None:
    job = allocation({**JOB, "LSB_MCPU_HOSTS": hosts})
    assert job is not None
    assert (job.ranks_on, job.ranks, job.nodes) == ({}, 6, None)


def test_job_of_an_array_tells_its_index_and_is_asked_for_alone() -> None:
    job = allocation({**JOB, "LSB_JOBINDEX": "3"})
    assert job is not None
    assert (job.name, job.index) == ("LSF job 1234[3]", "3")
    assert job.question == ("bjobs", "-noheader", "-o", "time_left", "1234[3]")


@pytest.mark.parametrize(
    ("answer", "left"),
    [("2:05 L\n", 7500), ("168:00 L      \n", 604800), ("0:09 X\n", 540), ("-\n", float("inf"))],
)
def test_time_left_is_in_hours_and_minutes(answer: str, left: float) -> None:
    end = Lsf().answered(answer, ASKED)
    assert end is not None
    assert (end.at - ASKED, end.known_by) == (left, "bjobs")


@pytest.mark.parametrize(
    "answer", ["", "2:05 E\n", "2:05\n", "Job <1234> is not found\n", "1:00 L\n2:00 L\n"]
)
def test_estimate_or_anything_else_is_no_end(answer: str) -> None:
    assert Lsf().answered(answer, ASKED) is None


@few_and_many("examples", 50, 5000)
def test_any_answer_is_a_number_or_none(examples: int) -> None:
    def holds(text: str) -> None:
        end = Lsf().answered(text, ASKED)
        assert end is None or isinstance(end.at, float)

    try_examples(examples, holds, text=st.text())


def test_answer_that_the_host_hands_over_is_read() -> None:
    end = job_end({**JOB, "ESPEI_HPC_JOB": "1700000000 +0100\n2:05 L"})
    assert end is not None
    assert end.at == ASKED + 7500
    assert job_end(JOB) is None
