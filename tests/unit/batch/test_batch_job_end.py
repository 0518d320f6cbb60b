"""The end of a job is read from what a person names, and what is no time is none."""

import time

import pytest
from hypothesis import strategies as st

from amounts import few_and_many, try_examples
from espei_hpc.batch import from_duration
from espei_hpc.batch.duration import seconds

ASKED = 1_700_000_000.0


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
