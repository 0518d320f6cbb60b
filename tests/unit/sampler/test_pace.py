"""Pace and efficiency are those of the last while, by the clock that is handed in."""

import pytest

from espei_hpc.sampler.pace import ITERATIONS, SECONDS, Recent
from espei_hpc.sampler.preparation import PATIENCE


def sampled(recent: Recent, begin: float, iterations: range, pace: float, busy: float, workers: int) -> float:
    """Have iterations done one after the other, the workers busy for a part of the time; return its end."""
    now = begin
    for done in iterations:
        now += pace
        recent.answered(busy * pace * workers)
        recent.passed(now, workers)
        recent.iterated(done + 1)
    return now


def test_nothing_is_known_before_the_first_iteration() -> None:
    recent = Recent(100.0, 0)
    recent.passed(130.0, 4)
    assert recent.pace is None
    assert recent.busy is None


@pytest.mark.parametrize("pace", [0.001, 1.0, 3600.0])
def test_pace_and_efficiency_of_a_steady_sampling(pace: float) -> None:
    recent = Recent(100.0, 17)
    sampled(recent, 100.0, range(17, 117), pace, busy=0.75, workers=4)
    assert recent.pace == pytest.approx(pace)
    assert recent.busy == pytest.approx(0.75)


def test_what_is_long_past_does_not_count() -> None:
    recent = Recent(0.0, 0)
    now = sampled(recent, 0.0, range(100), 10.0, busy=0.2, workers=4)
    sampled(recent, now, range(100, 300), SECONDS / 50, busy=0.9, workers=8)
    assert recent.pace == pytest.approx(SECONDS / 50)
    assert recent.busy == pytest.approx(0.9)


def test_of_long_iterations_several_count() -> None:
    recent = Recent(0.0, 0)
    now = 0.0
    for done in range(20):
        now += 1000.0 if done % ITERATIONS else 2000.0
        recent.passed(now, 1)
        recent.iterated(done + 1)
    assert recent.pace == pytest.approx(1000.0 * (ITERATIONS + 1) / ITERATIONS)


def test_workers_count_for_as_long_as_they_were_there() -> None:
    recent = Recent(0.0, 1)
    recent.passed(10.0, 2)
    recent.passed(20.0, 6)
    recent.answered(40.0)
    recent.iterated(2)
    assert recent.busy == pytest.approx(40 / (10 * 2 + 10 * 6))


def test_no_worker_is_busier_than_all_the_time() -> None:
    recent = Recent(0.0, 1)
    recent.passed(1.0, 1)
    recent.answered(5.0)
    recent.iterated(2)
    assert recent.busy == 1.0


def test_a_sampling_without_workers_has_a_pace_and_no_efficiency() -> None:
    recent = Recent(0.0, 0)
    sampled(recent, 0.0, range(10), 2.0, busy=0.0, workers=0)
    assert (recent.pace, recent.busy) == (2.0, None)


def test_evaluation_of_the_starting_walkers_is_no_part_of_the_pace() -> None:
    recent = Recent(0.0, 0)
    recent.passed(30.0, 1)
    recent.iterated(1)
    assert (recent.preparing, recent.pace) == (True, None)
    sampled(recent, 30.0, range(1, 4), 2.0, busy=0.5, workers=1)
    assert not recent.preparing
    assert (recent.pace, recent.mean) == (2.0, 2.0)


def test_iterations_in_which_workers_prepare_are_no_part_of_the_pace() -> None:
    recent = Recent(0.0, 17)
    now = 0.0
    for done in range(18, 21):
        now += 40.0
        recent.passed(now, 2)
        recent.answered(30.0, preparing=True)
        recent.answered(40.0)
        recent.iterated(done)
        assert recent.pace is None
    sampled(recent, now, range(20, 30), 5.0, busy=0.5, workers=2)
    assert (recent.pace, recent.mean) == (5.0, 5.0)


def test_workers_that_are_not_ready_yet_are_waited_for_in_the_forecast() -> None:
    recent = Recent(0.0, 17)
    recent.passed(40.0, 1)
    recent.iterated(18, awaited=1)
    assert recent.pace is None
    recent.passed(45.0, 2)
    recent.iterated(19)
    assert recent.pace == 5.0


def test_worker_that_joins_later_does_not_take_the_pace_away() -> None:
    recent = Recent(0.0, 17)
    now = sampled(recent, 0.0, range(17, 30), 5.0, busy=0.5, workers=2)
    recent.passed(now + 8.0, 3)
    recent.answered(8.0, preparing=True)
    recent.iterated(31, awaited=1)
    assert not recent.preparing
    assert recent.pace is not None


def test_forecast_is_given_in_the_end_though_a_worker_never_gets_ready() -> None:
    recent = Recent(0.0, 17)
    now, done = 0.0, 17
    while now < PATIENCE:
        assert recent.pace is None
        now, done = now + 50.0, done + 1
        recent.passed(now, 1)
        recent.iterated(done, awaited=1)
    assert recent.pace == 50.0


def test_mean_is_that_since_the_preparation_and_pace_that_of_late() -> None:
    recent = Recent(0.0, 1)
    now = sampled(recent, 0.0, range(1, 101), 10.0, busy=0.5, workers=1)
    sampled(recent, now, range(101, 201), 2.0, busy=0.5, workers=1)
    assert recent.mean == pytest.approx(6.0)
    assert recent.pace == pytest.approx(2.0)
