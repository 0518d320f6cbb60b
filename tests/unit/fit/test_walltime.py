"""A fit ends in time before its job does, and does not begin where nothing could be done."""

import math
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espei_hpc.batch import JobEnd
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.fit.walltime import Walltime
from espei_hpc.rundir.record import Record

HOUR = 3600.0


class Clock:
    """The time that the fit sees."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


def job_of(seconds: float, clock: Clock) -> Walltime:
    return Walltime(JobEnd(clock.now + seconds, "squeue"))


def test_job_of_hours_keeps_a_minute_for_saving_and_ending(clock: Clock) -> None:
    walltime = job_of(4 * HOUR, clock)
    clock.now += 4 * HOUR - 61
    assert walltime.over() is None
    clock.now += 1
    assert walltime.over() == "60 s of walltime left (according to squeue)"


def test_slow_saving_makes_the_margin_greater(clock: Clock) -> None:
    walltime = job_of(4 * HOUR, clock)
    walltime.saved(50)
    walltime.saved(20)
    assert walltime.margin == 30 + 3 * 50


def test_slow_start_of_the_image_makes_the_margin_greater(clock: Clock) -> None:
    assert Walltime(JobEnd(clock.now + HOUR, "squeue"), starting=40).margin == 30 + 2 * 40


def test_debug_job_keeps_as_much_for_its_end_as_a_long_one(clock: Clock) -> None:
    assert job_of(150, clock).margin == 60


def test_short_job_keeps_no_more_than_half(clock: Clock) -> None:
    walltime = job_of(100, clock)
    walltime.saved(50)
    clock.now += 49
    assert walltime.over() is None
    clock.now += 1
    assert walltime.over() is not None


def test_iteration_that_would_end_too_late_is_not_begun(clock: Clock) -> None:
    walltime = job_of(2 * HOUR, clock)
    walltime.sampled(10)
    clock.now += 1800
    walltime.sampled(13)
    assert walltime.iteration == 600
    assert walltime.over_for_an_iteration() is None
    clock.now += 2 * HOUR - 1800 - 659
    assert walltime.over() is None
    assert walltime.over_for_an_iteration() == (
        "11 min of walltime left (according to squeue), not enough for one more iteration (10 min), "
        "saving and ending (60 s)"
    )


@pytest.mark.parametrize("end", [None, JobEnd(math.inf, "squeue")])
def test_job_with_no_end_or_an_unknown_one_is_never_over(end: JobEnd | None) -> None:
    walltime = Walltime(end)
    walltime.saved(1e6)
    walltime.sampled(0)
    walltime.sampled(1)
    assert (walltime.known, walltime.over(), walltime.over_for_an_iteration()) == (False, None, None)
    walltime.check(None, None)


@given(st.floats(1, 1e6), st.floats(0, 1e4), st.floats(0, 1e4))
def test_margin_leaves_half_of_any_job(length: float, saving: float, starting: float) -> None:
    walltime = Walltime(JobEnd(time.time() + length, "squeue"), starting)
    walltime.saved(saving)
    assert 0 <= walltime.margin <= 0.5 * length
    assert walltime.margin >= min(60.0, 0.5 * length - 1)


def test_start_in_the_last_seconds_of_a_job_is_refused_in_one_line(clock: Clock) -> None:
    with pytest.raises(Refusal) as refused:
        job_of(16, clock).check(None, None)
    assert refused.value.code == ExitCode.UNAVAILABLE
    assert str(refused.value) == (
        "time: 16 s of walltime left (according to squeue), not enough for one iteration (starting takes "
        "15 s, saving and ending 8 s); nothing was started; request more walltime"
    )


def test_age_of_a_process_counts_what_its_program_replaced() -> None:
    # As a container engine becomes the program in the container.
    tell = "from espei_hpc.fit.walltime import age_of_this_process; print(age_of_this_process())"
    line = f"sleep 2; exec {sys.executable} -c '{tell}'"
    began = time.monotonic()
    age = float(subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout)
    assert 1.9 < age < time.monotonic() - began + 0.1


def last(iteration: float, workers: int) -> Record:
    return Record({}, (), "", iteration_seconds=iteration, workers=workers)


def test_start_whose_time_was_over_before_it_looked_is_refused(clock: Clock) -> None:
    end = JobEnd(clock.now + 10, "squeue")
    clock.now += 20
    with pytest.raises(Refusal, match="0 s of walltime left"):
        Walltime(end).check(None, None)


def test_start_with_too_little_for_an_iteration_as_long_as_the_last_is_refused(clock: Clock) -> None:
    job_of(600, clock).check(last(500, 4), 4)
    with pytest.raises(Refusal, match="an iteration 9 min"):
        job_of(600, clock).check(last(540, 4), 4)


@pytest.mark.parametrize("workers", [8, None])
def test_start_with_more_workers_or_an_unknown_number_is_not_refused_for_the_last_iterations(
    workers: int | None, clock: Clock
) -> None:
    job_of(600, clock).check(last(1000, 4), workers)


def test_fewer_workers_are_not_taken_for_slower(clock: Clock) -> None:
    job_of(600, clock).check(last(500, 4), 1)
