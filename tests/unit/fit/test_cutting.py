"""Into how many pieces evaluations are cut as costs and workers become known."""

from collections.abc import Iterator

import pytest

from espei_hpc.fit.cutting import Cutter
from support import wait_until

UNITS = tuple(range(40))
WALKERS = 12


@pytest.fixture
def cutter() -> Iterator[Cutter]:
    cutter = Cutter(UNITS, WALKERS)
    yield cutter
    cutter.close()


def learn(cutter: Cutter, unit_seconds: float, evaluations: int = WALKERS) -> None:
    for _ in range(evaluations):
        cutter.learn(dict.fromkeys(UNITS, unit_seconds))


def test_first_evaluations_are_whole_while_there_are_more_walkers_than_workers(cutter: Cutter) -> None:
    assert cutter.pieces(WALKERS) == (UNITS,)


def test_first_evaluations_are_shared_where_there_are_more_workers(cutter: Cutter) -> None:
    pieces = cutter.pieces(3 * WALKERS)
    assert len(pieces) == 3
    assert sorted(unit for piece in pieces for unit in piece) == list(UNITS)


def test_evaluations_stay_whole_for_few_workers(cutter: Cutter) -> None:
    learn(cutter, 0.05)
    cutter.pieces(WALKERS // 2)
    wait_until(lambda: not cutter.deciding, "the decision")
    assert len(cutter.pieces(WALKERS // 2)) == 1


def test_evaluations_are_cut_for_many_workers_once_their_cost_is_known(cutter: Cutter) -> None:
    learn(cutter, 0.05)
    wait_until(lambda: len(cutter.pieces(4 * WALKERS)) > 4, "the cut")


def test_short_evaluations_are_never_cut(cutter: Cutter) -> None:
    learn(cutter, 0.05 / len(UNITS))
    cutter.pieces(4 * WALKERS)
    wait_until(lambda: not cutter.deciding, "the decision")
    assert len(cutter.pieces(4 * WALKERS)) == 1


def test_evaluations_that_ended_early_do_not_count(cutter: Cutter) -> None:
    for _ in range(WALKERS):
        cutter.learn({})
    assert len(cutter.pieces(3 * WALKERS)) == 3
