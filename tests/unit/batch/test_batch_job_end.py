"""The end of a job is read from what batch systems set and print, and an unknown one stays unknown."""

import datetime
import os
import time
from pathlib import Path

import pytest
from hypothesis import strategies as st

from amounts import few_and_many, try_examples
from espei_hpc.batch import from_answer, from_duration, job_end
from espei_hpc.batch.duration import seconds

ASKED = 1_700_000_000.0
"""2023-11-14 22:13:20 UTC."""
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


@few_and_many("examples", 50, 5000)
def test_durations_as_slurm_prints_them_are_read(examples: int) -> None:
    def holds(days: int, hours: int, minutes: int, rest: int) -> None:
        clock = f"{hours:02d}:{minutes:02d}:{rest:02d}"
        expected = ((days * 24 + hours) * 60 + minutes) * 60 + rest
        assert seconds(f"{days}-{clock}" if days else clock) == expected

    sixty = st.integers(0, 59)
    try_examples(
        examples, holds, days=st.integers(0, 40), hours=st.integers(0, 23), minutes=sixty, rest=sixty
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("59:01", 3541),
        ("2:00:00", 7200),
        ("168:00:00", 604800),
        ("1-00:00:10", 86410),
        ("2-12", 216000),
        ("3600", 3600),
    ],
)
def test_durations_as_people_write_them_are_read(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["INVALID", "NOT_SET", "", "1:2:3:4", "-1:00", "12 h", "١٢"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert seconds(text) is None


@few_and_many("examples", 50, 5000)
def test_any_answer_is_a_number_or_none(examples: int) -> None:
    def holds(text: str) -> None:
        for answer in (
            text,
            OPENPBS.replace("02:00:00", text),
            OPENPBS.replace("Tue Nov 14 22:42:20 2023", text),
        ):
            end = from_answer(answer, ASKED)
            assert end is None or isinstance(end.at, float)

    try_examples(examples, holds, text=st.text())


def test_squeues_time_left_counts_from_when_it_was_asked() -> None:
    end = from_answer("1-02:03:04\n", ASKED)
    assert end is not None
    assert (end.at - ASKED, end.known_by) == (93784, "squeue")


def test_job_without_a_limit_never_ends() -> None:
    end = from_answer("UNLIMITED\n", ASKED)
    assert end is not None
    assert end.at == float("inf")


@pytest.mark.parametrize("answer", ["", "INVALID\n", "qstat: Unknown Job Id 41.head\n", "NOT_SET"])
def test_answer_that_tells_no_end_is_none(answer: str) -> None:
    assert from_answer(answer, ASKED) is None


@pytest.mark.parametrize(("hours", "used"), [(2, 1850), (3, 3600 + 1850)])
def test_pbs_job_has_what_is_granted_less_the_time_since_its_start_where_it_started(
    hours: float, used: float
) -> None:
    # The start was at 22:42:20 in a zone so many hours ahead of UTC.
    asked = datetime.datetime(2023, 11, 14, 21, 13, 10, tzinfo=datetime.UTC).timestamp()
    end = from_answer(OPENPBS, asked, ahead=hours * 3600)
    assert end is not None
    assert (end.at, end.known_by) == (asked + 7200 - used, "qstat")


def test_pbs_job_has_no_more_than_what_is_granted_less_what_is_used() -> None:
    # Asked "before" its start: the clocks, or the zones, of two hosts differ.
    end = from_answer(OPENPBS, ASKED, ahead=0.0)
    assert end is not None
    assert end.at == ASKED + 7200 - 1810


def test_start_is_read_in_local_time_where_no_other_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC-3")
    time.tzset()
    try:
        end = from_answer(OPENPBS, ASKED)
    finally:
        monkeypatch.undo()
        time.tzset()
    start = datetime.datetime(2023, 11, 14, 19, 42, 20, tzinfo=datetime.UTC).timestamp()
    assert end is not None
    assert end.at == start + 7200


def test_torques_own_reckoning_is_taken() -> None:
    end = from_answer(TORQUE, ASKED)
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
        assert from_answer(answer, ASKED, 0.0) == from_answer(OPENPBS, ASKED, 0.0)

    values = st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=300)
    try_examples(examples, holds, value=values, width=st.integers(9, 99))


def test_slurms_variable_is_the_end() -> None:
    end = job_end({"SLURM_JOB_END_TIME": "1700000000"})
    assert end is not None
    assert (end.at, end.known_by) == (ASKED, "SLURM_JOB_END_TIME")


def test_answer_handed_over_by_the_host_is_read_in_the_hosts_zone() -> None:
    lines = [line for line in OPENPBS.splitlines(keepends=True) if "walltime" in line or "stime" in line]
    east = job_end({"ESPEI_HPC_JOB": "1700000000 +0130\n" + "".join(lines)})
    west = job_end({"ESPEI_HPC_JOB": "1700000000 -0130\n" + "".join(lines)})
    assert east == from_answer(OPENPBS, ASKED, 5400.0)
    assert west == from_answer(OPENPBS, ASKED, -5400.0)
    assert east != west


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"SLURM_JOB_END_TIME": "later"},
        {"ESPEI_HPC_JOB": "1:00:00"},
        {"ESPEI_HPC_JOB": "1700000000 +0000\n"},
        {"PBS_WALLTIME": "3600"},
    ],
)
def test_end_that_no_variable_tells_is_unknown(environment: dict[str, str]) -> None:
    assert job_end(environment) is None


def test_torque_job_ends_its_walltime_after_its_node_file_was_written(tmp_path: Path) -> None:
    (tmp_path / "nodes").touch()
    os.utime(tmp_path / "nodes", (ASKED, ASKED))
    end = job_end({"PBS_WALLTIME": "3600", "PBS_NODEFILE": str(tmp_path / "nodes")})
    assert end is not None
    assert end.at == ASKED + 3600


def test_time_left_that_a_person_names_counts_from_now() -> None:
    before = time.time()
    end = from_duration("1:00:00", "--time-left", {})
    assert end is not None
    assert before + 3600 <= end.at <= time.time() + 3600
    assert end.left <= 3600
    assert from_duration("soon", "--time-left", {}) is None


def test_time_left_counts_from_the_start_of_the_script_that_was_given_it() -> None:
    end = from_duration("1:00:00", "--time-left", {"ESPEI_HPC_SINCE": str(int(ASKED))})
    assert end is not None
    assert end.at == ASKED + 3600
