"""Pace and efficiency are those of the last while, by the clock that is handed in."""

import pytest

from espei_hpc.fit.recent import ITERATIONS, SECONDS, Recent


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
    recent = Recent(0.0, 0)
    recent.passed(10.0, 2)
    recent.passed(20.0, 6)
    recent.answered(40.0)
    recent.iterated(1)
    assert recent.busy == pytest.approx(40 / (10 * 2 + 10 * 6))


def test_no_worker_is_busier_than_all_the_time() -> None:
    recent = Recent(0.0, 0)
    recent.passed(1.0, 1)
    recent.answered(5.0)
    recent.iterated(1)
    assert recent.busy == 1.0


def test_a_sampling_without_workers_has_a_pace_and_no_efficiency() -> None:
    recent = Recent(0.0, 0)
    sampled(recent, 0.0, range(10), 2.0, busy=0.0, workers=0)
    assert (recent.pace, recent.busy) == (2.0, None)
