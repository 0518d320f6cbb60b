"""The replay's clock agrees with sums made by hand, and never beats the limit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from espei_hpc.forecast.barrier import barrier
from espei_hpc.forecast.costs import Costs
from espei_hpc.forecast.replay import replay
from espei_hpc.likelihood import cut

EXACT = Costs(1.0, 0.0, per_call=0.0, latency=0.0, unevenness=0.0)
CU_MG = Costs(2.4, 0.05)


def test_one_worker_does_one_evaluation_after_the_other() -> None:
    done = replay(4, 1, 3, EXACT, pieces=1)
    assert done.seconds == pytest.approx(3 * 4 * 1.0)
    assert done.seconds_per_iteration == pytest.approx(4.0)
    assert done.efficiency == pytest.approx(1.0)
    assert done.calls == 3 * 4


def test_two_workers_without_spread_share_a_half_evenly() -> None:
    assert replay(4, 2, 5, EXACT, pieces=1).seconds == pytest.approx(5 * 2)


def test_more_workers_than_a_half_gain_nothing_from_whole_evaluations() -> None:
    # Without spread all of a half ends at once, so there is nothing to start early.
    assert replay(4, 9, 5, EXACT, pieces=1).seconds == pytest.approx(5 * 2)


def test_pieces_bring_more_workers_than_a_half_to_use() -> None:
    done = replay(4, 8, 5, EXACT, pieces=4)
    assert done.seconds == pytest.approx(5 * 2 * 0.25)
    assert done.efficiency == pytest.approx(1.0)
    assert done.calls == 5 * 4 * 4


def test_a_lone_worker_waits_for_call_and_way_only_where_nothing_is_queued() -> None:
    # Two walkers, one in each half: every evaluation needs the answer before it.
    costs = replace(EXACT, per_call=0.25, latency=0.5)
    done = replay(2, 1, 3, costs, pieces=1)
    assert done.seconds == pytest.approx(3 * 2 * (1.0 + 0.25 + 0.5))
    assert done.client == pytest.approx(0.25 / 1.75)


def test_a_queue_hides_call_and_way_from_a_busy_worker() -> None:
    costs = replace(EXACT, per_call=0.02, latency=0.04)
    done = replay(8, 1, 3, costs, pieces=1)
    # Once each way and one call, not once for each of 24 evaluations.
    assert done.seconds == pytest.approx(3 * 8 + 0.02 + 0.04)


def test_a_client_that_is_too_slow_sets_the_pace() -> None:
    costs = replace(EXACT, per_call=0.5)
    done = replay(8, 8, 5, costs, pieces=2)
    assert done.seconds_per_iteration >= 8 * 2 * 0.5
    assert done.client == pytest.approx(1.0, abs=0.1)


def test_a_slow_worker_is_given_less() -> None:
    even, one_slow = (
        replay(12, 3, 10, EXACT, 1, speeds=speeds) for speeds in ([1.0, 1.0, 1.0], [1.0, 1.0, 0.25])
    )
    # With equal shares the slow one would take four times as long.
    assert one_slow.seconds < 1.7 * even.seconds


def test_the_longest_piece_decides_where_a_unit_cannot_be_cut() -> None:
    costs = replace(EXACT, units={0: 3.0, 1: 1.0})  # three quarters of an evaluation, and one
    assert replay(2, 2, 4, costs, pieces=2).seconds == pytest.approx(4 * 2 * 0.75)


def test_the_same_seed_gives_the_same_replay() -> None:
    assert replay(10, 7, 4, CU_MG, 2, seed=5) == replay(10, 7, 4, CU_MG, 2, seed=5)
    assert replay(10, 7, 4, CU_MG, 2, seed=5) != replay(10, 7, 4, CU_MG, 2, seed=6)


@settings(max_examples=30, deadline=None)
@given(
    half=st.integers(1, 8),
    workers=st.integers(1, 40),
    iterations=st.integers(1, 4),
    pieces=st.integers(1, 6),
    spread=st.floats(0, 0.6),
    seed=st.integers(0, 1000),
)
def test_nothing_is_faster_than_all_workers_busy_all_the_time(
    half: int, workers: int, iterations: int, pieces: int, spread: float, seed: int
) -> None:
    done = replay(2 * half, workers, iterations, Costs(0.7, spread), pieces, seed)
    assert 0 < done.efficiency <= 1
    assert 0 < done.client <= 1
    assert done.calls == 2 * half * iterations * pieces


@pytest.mark.parametrize(("workers", "pieces"), [(12, 1), (15, 1), (30, 3), (39, 4), (63, 6), (120, 12)])
def test_cu_mg_is_close_to_the_limit_and_far_above_the_barrier(workers: int, pieces: int) -> None:
    ours = replay(30, workers, 10, CU_MG, pieces)
    assert ours.efficiency > 0.94
    assert barrier(30, workers, 10, CU_MG) > 1.05 * ours.seconds_per_iteration


def test_the_barrier_takes_rounds_of_whole_evaluations() -> None:
    def rounds(workers: int) -> float:
        return barrier(30, workers, 2, EXACT, per_task=0.0, answer=0.0)

    assert [rounds(workers) for workers in (1, 5, 12, 15, 63)] == pytest.approx([30, 6, 4, 2, 2])


def test_the_barrier_pays_for_its_tasks_and_answers() -> None:
    # The last of two tasks can begin after two submissions; then its answer comes.
    assert barrier(4, 2, 3, EXACT, per_task=0.1, answer=0.05) == pytest.approx(2 * (0.2 + 1.0 + 0.05))


def test_the_barrier_is_what_was_measured_with_sleeping_tasks() -> None:
    # facts/performance.md: part of the limit on a real Dask scheduler, six iterations.
    measured = {12: 0.62, 19: 0.72, 39: 0.35, 63: 0.22, 127: 0.11}
    for workers, efficiency in measured.items():
        limit = 30 * 2.4 / workers
        assert limit / barrier(30, workers, 20, CU_MG) == pytest.approx(efficiency, rel=0.04)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=60), st.integers(1, 80))
def test_pieces_are_those_that_the_likelihood_makes(seconds: list[float], pieces: int) -> None:
    units = dict(enumerate(seconds))
    loads = [sum(units[unit] for unit in piece) for piece in cut(units, pieces)]
    shares = Costs(sum(seconds), 0.0, units).shares(pieces)
    assert shares == pytest.approx(np.sort(loads)[::-1] / sum(seconds))


def test_evaluations_have_the_mean_and_the_spread_asked_for() -> None:
    times = Costs(2.0, 0.3).evaluations(40, 100, seed=1)
    assert times.shape == (200, 20)
    assert times.mean() == pytest.approx(2.0)
    assert times.std() / 2.0 == pytest.approx(0.3, rel=0.1)
