"""An evaluation is cut only where workers would idle, and no finer than pays."""

from dataclasses import replace

import pytest

from espei_hpc.forecast.costs import Costs
from espei_hpc.forecast.cut import _likeness, best_cut
from espei_hpc.forecast.replay import replay

CU_MG = Costs(2.4, 0.05)


@pytest.mark.parametrize("workers", [1, 2, 4, 8, 12])
def test_evaluations_stay_whole_while_there_are_enough_of_them(workers: int) -> None:
    assert best_cut(30, workers, CU_MG) == 1


@pytest.mark.parametrize("workers", [15, 19, 30, 63, 120])
def test_the_cut_reaches_what_is_wanted_of_it(workers: int) -> None:
    pieces = best_cut(30, workers, CU_MG)
    wanted = 0.95 if workers <= 15 else 0.90 if workers <= 30 else 0.75
    assert replay(30, workers, 10, CU_MG, pieces).efficiency > wanted


@pytest.mark.parametrize("workers", [19, 24, 39])
def test_no_other_cut_is_much_better_and_fewer_pieces_are_worse(workers: int) -> None:
    # The replays of the decision itself: 20 iterations, the same seed.
    seconds = {
        pieces: replay(30, workers, min(20, 4000 // (30 * pieces)), CU_MG, pieces).seconds_per_iteration
        for pieces in range(1, 11)
    }
    chosen = best_cut(30, workers, CU_MG)
    best = min(seconds.values())
    assert seconds[chosen] <= 1.02 * best
    assert all(seconds[pieces] > 1.005 * best for pieces in range(1, chosen))


def test_a_piece_never_lasts_less_than_asked() -> None:
    assert best_cut(30, 400, Costs(0.11, 0.05)) == 2
    assert best_cut(30, 400, Costs(0.11, 0.05), shortest=0.03) == 3
    assert best_cut(30, 400, Costs(0.049, 0.05)) == 1


def test_there_are_no_more_pieces_than_units() -> None:
    assert best_cut(30, 120, replace(CU_MG, units={0: 1.2, 1: 1.2})) == 2
    assert best_cut(30, 120, replace(CU_MG, units={0: 2.4})) == 1


def test_a_unit_that_is_nearly_all_stays_alone() -> None:
    # More pieces than two cannot shorten the one that everything waits for.
    units = {0: 2.3} | dict.fromkeys(range(1, 11), 0.01)
    assert best_cut(30, 120, replace(CU_MG, units=units)) == 2


def test_a_slow_client_is_spared() -> None:
    quick, slow = (best_cut(30, 120, replace(CU_MG, per_call=seconds)) for seconds in (0.4e-3, 10e-3))
    assert slow < quick


def test_more_spread_asks_for_more_pieces() -> None:
    assert best_cut(30, 63, Costs(2.4, 0.3)) > best_cut(30, 63, CU_MG)


def test_a_large_ensemble_is_judged_by_a_smaller_likeness() -> None:
    walkers, workers, costs = _likeness(240, 360, CU_MG)
    assert (walkers, workers) == (60, 90)
    # So the client's part of an iteration stays what it is.
    assert walkers * costs.per_call == pytest.approx(240 * CU_MG.per_call)
    small = replay(walkers, workers, 8, costs, 4)
    large = replay(240, 360, 8, CU_MG, 4)
    assert small.efficiency == pytest.approx(large.efficiency, abs=0.03)
