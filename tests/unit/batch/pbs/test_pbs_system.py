"""What PBS and Torque grant to a job, and when the job ends, is read from what they set and print."""

import datetime
import os
import time
from pathlib import Path

import pytest
from hypothesis import strategies as st

from amounts import few_and_many, try_examples
from espei_hpc.batch import allocation, job_end
from espei_hpc.batch.pbs import Pbs, lines

ASKED = 1_700_000_000.0
"""2023-11-14 22:13:20 UTC."""
# OpenPBS 23.06; NCPUS and OMP_NUM_THREADS are the job's cores on its first host.
PBS_JOB = {
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
TORQUE_JOB = {
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
# As OpenPBS prints it, folded and without what does not matter here.
OPENPBS = """Job Id: 41.head
    Job_Name = fit
    Job_Owner = user@head
    resources_used.cpupercent = 0
    resources_used.walltime = 00:30:10
    job_state = R
    exec_host = node1/0*4+node2/0*4
    Resource_List.ncpus = 8
    Resource_List.place = scatter
    Resource_List.walltime = 02:00:00
    stime = Tue Nov 14 22:42:20 2023
    Variable_List = PBS_O_HOME=/home/user,PBS_O_LANG=C.UTF-8,PBS_O_LOGNAME=user,
\tPBS_O_PATH=/usr/local/bin:/usr/bin:/bin:/opt/some/other/place/with/a/lon
\tg/name,PBS_O_WORKDIR=/home/user/work
    run_count = 1
"""
TORQUE = """Job Id: 4100326.master
    Job_Name = fit
    resources_used.walltime = 41:32:11
    Resource_List.nodes = 1:ppn=8
    Resource_List.walltime = 71:59:00
    start_time = Tue Feb 19 12:47:56 2019
    Walltime.Remaining = 109566
    start_count = 1
"""


@pytest.mark.parametrize(
    ("environment", "name"),
    [(PBS_JOB, "PBS job 41.head"), (TORQUE_JOB, "Torque job 4100326.master")],
)
def test_batch_system_is_told_by_its_variables(environment: dict[str, str], name: str) -> None:
    job = allocation(environment)
    assert job is not None
    assert (job.name, job.index) == (name, "")


@few_and_many("examples", 50, 5000)
def test_node_file_counts_the_lines_of_each_host_in_the_order_of_their_first(examples: int) -> None:
    def holds(drawn: list[str]) -> None:
        counts = lines("".join(f"{line}\n" for line in drawn))
        assert list(counts) == list(dict.fromkeys(drawn))
        assert all(count == drawn.count(host) for host, count in counts.items())

    try_examples(
        examples, holds, drawn=st.lists(st.from_regex(r"[a-z][a-z0-9.-]{0,8}", fullmatch=True), max_size=30)
    )


@pytest.mark.parametrize("environment", [PBS_JOB, TORQUE_JOB])
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
    job = allocation({**PBS_JOB, **handed})
    assert job is not None
    assert list(job.ranks_on.items()) == [("node2", 2), ("node1", 1)]


def test_pbs_job_whose_node_file_is_not_there_has_an_unknown_number_of_ranks() -> None:
    job = allocation({**PBS_JOB, "PBS_NODEFILE": "/nowhere/41.head"})
    assert job is not None
    assert (job.ranks_on, job.ranks, job.nodes) == ({}, None, None)


@pytest.mark.parametrize(
    ("environment", "variable"), [(PBS_JOB, "PBS_ARRAY_INDEX"), (TORQUE_JOB, "PBS_ARRAYID")]
)
def test_job_of_an_array_tells_its_index(environment: dict[str, str], variable: str) -> None:
    job = allocation({**environment, variable: "3"})
    assert job is not None
    assert job.index == "3"


@pytest.mark.parametrize("environment", [PBS_JOB, TORQUE_JOB])
def test_time_left_is_asked_of_qstat(environment: dict[str, str]) -> None:
    job = allocation(environment)
    assert job is not None
    assert job.question == ("qstat", "-f", environment["PBS_JOBID"])


@few_and_many("examples", 50, 5000)
def test_any_answer_is_a_number_or_none(examples: int) -> None:
    def holds(text: str) -> None:
        for answer in (
            text,
            OPENPBS.replace("02:00:00", text),
            OPENPBS.replace("Tue Nov 14 22:42:20 2023", text),
        ):
            end = Pbs().answered(answer, ASKED)
            assert end is None or isinstance(end.at, float)

    try_examples(examples, holds, text=st.text())


@pytest.mark.parametrize("answer", ["", "qstat: Unknown Job Id 41.head\n", "1:00:00"])
def test_answer_that_tells_no_end_is_none(answer: str) -> None:
    assert Pbs().answered(answer, ASKED) is None


@pytest.mark.parametrize(("hours", "used"), [(2, 1850), (3, 3600 + 1850)])
def test_pbs_job_has_what_is_granted_less_the_time_since_its_start_where_it_started(
    hours: float, used: float
) -> None:
    # The start was at 22:42:20 in a zone so many hours ahead of UTC.
    asked = datetime.datetime(2023, 11, 14, 21, 13, 10, tzinfo=datetime.UTC).timestamp()
    end = Pbs().answered(OPENPBS, asked, ahead=hours * 3600)
    assert end is not None
    assert (end.at, end.known_by) == (asked + 7200 - used, "qstat")


def test_pbs_job_has_no_more_than_what_is_granted_less_what_is_used() -> None:
    # Asked "before" its start: the clocks, or the zones, of two hosts differ.
    end = Pbs().answered(OPENPBS, ASKED, ahead=0.0)
    assert end is not None
    assert end.at == ASKED + 7200 - 1810


def test_start_is_read_in_local_time_where_no_other_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC-3")
    time.tzset()
    try:
        end = Pbs().answered(OPENPBS, ASKED)
    finally:
        monkeypatch.undo()
        time.tzset()
    start = datetime.datetime(2023, 11, 14, 19, 42, 20, tzinfo=datetime.UTC).timestamp()
    assert end is not None
    assert end.at == start + 7200


def test_torques_own_reckoning_is_taken() -> None:
    end = Pbs().answered(TORQUE, ASKED)
    assert end is not None
    assert end.at - ASKED == 109566


def fold(name: str, value: str, width: int = 79) -> str:
    """Write an attribute as qstat does: a new line, begun by a tab, wherever the width is reached."""
    text, column = f"    {name} = ", len(name) + 7
    for character in value:
        if column > width:
            text, column = f"{text}\n\t", 8
        text, column = text + character, column + 1
    return f"{text}\n"


@few_and_many("examples", 50, 5000)
def test_what_a_folded_attribute_holds_is_never_taken_for_another(examples: int) -> None:
    def holds(value: str, width: int) -> None:
        hostile = f"    Resource_List.walltime = 99:00:00{value}    Walltime.Remaining = 5"
        answer = "Job Id: 1.head\n" + fold("Variable_List", hostile, width) + OPENPBS.partition("\n")[2]
        assert Pbs().answered(answer, ASKED, 0.0) == Pbs().answered(OPENPBS, ASKED, 0.0)

    values = st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=300)
    try_examples(examples, holds, value=values, width=st.integers(9, 99))


def test_answer_handed_over_by_the_host_is_read_in_the_hosts_zone() -> None:
    lines = [line for line in OPENPBS.splitlines(keepends=True) if "walltime" in line or "stime" in line]
    east = job_end({**PBS_JOB, "ESPEI_HPC_JOB": "1700000000 +0130\n" + "".join(lines)})
    west = job_end({**PBS_JOB, "ESPEI_HPC_JOB": "1700000000 -0130\n" + "".join(lines)})
    assert east == Pbs().answered(OPENPBS, ASKED, 5400.0)
    assert west == Pbs().answered(OPENPBS, ASKED, -5400.0)
    assert east != west


@pytest.mark.parametrize(
    "handed", [{"ESPEI_HPC_JOB": "1:00:00"}, {"ESPEI_HPC_JOB": "1700000000 +0000\n"}, {}]
)
def test_end_that_no_variable_tells_is_unknown(handed: dict[str, str]) -> None:
    assert job_end({**PBS_JOB, **handed}) is None
    # The walltime alone does not show when the job began.
    assert job_end({**TORQUE_JOB, **handed}) is None


def test_torque_job_ends_its_walltime_after_its_node_file_was_written(tmp_path: Path) -> None:
    (tmp_path / "nodes").touch()
    os.utime(tmp_path / "nodes", (ASKED, ASKED))
    end = job_end({**TORQUE_JOB, "PBS_NODEFILE": str(tmp_path / "nodes")})
    assert end is not None
    assert end.at == ASKED + 3600
