"""A prepared unit counts only as long as its results are those of ESPEI's own functions."""

import numpy as np
import pytest

from espei_hpc.likelihood.fast import Shared
from espei_hpc.likelihood.fast.guard import COMPARED_FIRST, WARM_UP, Guarded
from espei_hpc.likelihood.results import UnitResult
from espei_hpc.likelihood.units import Evaluate, Unit
from espei_hpc.likelihood.upstream.pycalphad import Left, NotPrepared

PARAMETERS = np.array([1.0, 2.0])


class Counted:
    """A unit's function: gives its result, or raises it, and counts how often."""

    def __init__(self, *results: float | Exception) -> None:
        self._results = list(results)
        self.count = 0

    def __call__(self, _: np.ndarray) -> UnitResult:
        result = self._results[min(self.count, len(self._results) - 1)]
        self.count += 1
        if isinstance(result, Exception):
            raise result
        return UnitResult((result,), (1.0,))


def guarded(stock: Evaluate, plan: Evaluate | Exception, verify: int = 10, first: int = 0) -> Guarded:
    def prepare(_: np.ndarray, __: Shared) -> Evaluate:
        if isinstance(plan, Exception):
            raise plan
        return plan

    return Guarded(Unit("unit 1", stock, prepare), Shared(), verify, first)


def values(unit: Guarded, times: int) -> list[object]:
    return [unit(PARAMETERS).result for _ in range(times)]


def test_first_evaluations_are_espeis_own_and_then_one_in_so_many() -> None:
    stock, plan = Counted(1.0), Counted(1.0)
    unit = guarded(stock, plan, verify=10)
    values(unit, WARM_UP)
    assert (stock.count, plan.count) == (WARM_UP, COMPARED_FIRST)
    values(unit, 100)
    assert stock.count == WARM_UP + 10
    assert plan.count == COMPARED_FIRST + 100


def test_first_evaluations_are_said_to_prepare_whatever_comes_of_them() -> None:
    for plan in (Counted(1.0), Counted(Left("away"))):
        unit = guarded(Counted(1.0), plan, verify=1)
        assert [unit(PARAMETERS).preparing for _ in range(WARM_UP + 20)] == [True] * WARM_UP + [False] * 20


def test_nothing_is_said_to_prepare_where_nothing_is_prepared() -> None:
    assert not guarded(Counted(1.0), Counted(1.0), verify=0)(PARAMETERS).preparing


def test_units_can_be_compared_at_different_times() -> None:
    early, late = Counted(1.0), Counted(1.0)
    values(guarded(early, Counted(1.0), verify=10, first=2), WARM_UP + 3)
    values(guarded(late, Counted(1.0), verify=10, first=8), WARM_UP + 3)
    assert (early.count, late.count) == (WARM_UP + 1, WARM_UP)


def test_plan_that_is_wrong_from_the_start_never_counts() -> None:
    stock = Counted(1.0)
    unit = guarded(stock, Counted(np.nextafter(1.0, 2.0)))
    unit(PARAMETERS)
    compared = unit(PARAMETERS)
    assert compared.result == UnitResult((1.0,), (1.0,))
    assert compared.note == ("unit 1", "its prepared result differs")
    assert compared.difference is None
    values(unit, 20)
    assert stock.count == 22


def test_difference_after_trusted_evaluations_is_told_with_both_results() -> None:
    stock, plan = Counted(1.0), Counted(*[1.0] * (COMPARED_FIRST + 4), 2.0)
    unit = guarded(stock, plan, verify=5, first=4)
    outcomes = [unit(PARAMETERS) for _ in range(WARM_UP + 6)]
    differences = [outcome.difference for outcome in outcomes if outcome.difference]
    assert len(differences) == 1
    assert differences[0].unit == "unit 1"
    assert differences[0].parameters == (1.0, 2.0)
    assert "1.0" in differences[0].stock
    assert "2.0" in differences[0].prepared
    assert {outcome.result for outcome in outcomes} == {UnitResult((1.0,), (1.0,))}


def test_zero_with_the_other_sign_is_a_difference() -> None:
    unit = guarded(Counted(0.0), Counted(-0.0))
    unit(PARAMETERS)
    assert unit(PARAMETERS).note is not None


def test_result_that_is_no_number_is_equal_to_itself() -> None:
    unit = guarded(Counted(np.nan), Counted(np.nan))
    unit(PARAMETERS)
    assert unit(PARAMETERS).note is None


def test_parameters_that_lead_another_way_are_evaluated_by_espei() -> None:
    stock, plan = Counted(1.0), Counted(*[1.0] * COMPARED_FIRST, Left("away"), 1.0)
    unit = guarded(stock, plan, first=8)
    values(unit, WARM_UP)
    left = unit(PARAMETERS)
    assert (left.result, left.note) == (UnitResult((1.0,), (1.0,)), None)
    unit(PARAMETERS)
    assert stock.count == WARM_UP + 1


def test_first_evaluations_that_lead_another_way_are_not_taken_for_comparisons() -> None:
    stock, plan = Counted(1.0), Counted(*[Left("away")] * 5, 2.0)
    unit = guarded(stock, plan)
    values(unit, 6)
    assert unit(PARAMETERS).note == ("unit 1", "its prepared result differs")


@pytest.mark.parametrize("before", [0, COMPARED_FIRST])
def test_plan_that_fails_where_espei_does_not_is_given_up(before: int) -> None:
    stock, plan = Counted(1.0), Counted(*[1.0] * before, ZeroDivisionError("of the plan"))
    unit = guarded(stock, plan, first=8)
    values(unit, 1 + before)
    failed = unit(PARAMETERS)
    assert failed.result == UnitResult((1.0,), (1.0,))
    assert failed.note == ("unit 1", "ZeroDivisionError: of the plan")
    values(unit, 5)
    assert plan.count == before + 1


def test_failure_is_told_as_espei_tells_it_and_the_plan_is_kept() -> None:
    stock = Counted(*[1.0] * WARM_UP, ValueError("ESPEI's"), 1.0)
    plan = Counted(*[1.0] * COMPARED_FIRST, IndexError("the plan's"), 1.0)
    unit = guarded(stock, plan, first=8)
    values(unit, WARM_UP)
    failed = unit(PARAMETERS)
    assert failed.result.failure is not None
    assert failed.result.failure.error == "ValueError: ESPEI's"
    assert failed.note is None
    assert unit(PARAMETERS).result == UnitResult((1.0,), (1.0,))
    assert stock.count == WARM_UP + 1


def test_unit_that_cannot_be_prepared_stays_espeis_and_says_why() -> None:
    stock = Counted(1.0)
    unit = guarded(stock, NotPrepared("its condition MU"))
    assert unit(PARAMETERS).note == ("unit 1", "its condition MU")
    values(unit, 3)
    assert stock.count == 4


def test_nothing_is_prepared_when_nothing_is_to_be_compared() -> None:
    stock, plan = Counted(1.0), Counted(2.0)
    assert set(values(guarded(stock, plan, verify=0), 5)) == {UnitResult((1.0,), (1.0,))}
    assert plan.count == 0
