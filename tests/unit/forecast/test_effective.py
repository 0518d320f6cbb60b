"""What an effective sample size costs by each sampler, as ``plan`` tells it."""

import pytest

from espei_hpc.forecast.effective import ENOUGH, GAUSSIAN_RATES, PARAMETERS, costs
from espei_hpc.sampler.moves import DE, LAPLACE, MOVES, STRETCH

EVALUATION, WORKERS = 0.5, 10.0


def test_every_sampler_has_its_costs() -> None:
    assert {cost.sampler for cost in costs(15, EVALUATION, WORKERS)} == set(MOVES)


@pytest.mark.parametrize("number", range(len(PARAMETERS)))
@pytest.mark.parametrize("sampler", [STRETCH, DE])
def test_rate_of_a_gaussian_is_the_best_that_is_told(sampler: str, number: int) -> None:
    (cost,) = [one for one in costs(PARAMETERS[number], EVALUATION, WORKERS) if one.sampler == sampler]
    assert cost.evaluations[0] == pytest.approx(ENOUGH / GAUSSIAN_RATES[sampler][number], rel=1e-3)


@pytest.mark.parametrize(
    ("sampler", "symbols", "rate"),
    [
        # Part h of the bench: Al-Cu-Y and Al-Zn.
        (STRETCH, 5, 0.7e-3),
        (DE, 5, 2.1e-3),
        (LAPLACE, 5, 14.1e-3),
        (STRETCH, 4, 8.2e-3),
        (DE, 4, 42e-3),
        (LAPLACE, 4, 131e-3),
    ],
)
def test_fit_that_was_measured_lies_between_the_bounds(sampler: str, symbols: int, rate: float) -> None:
    (cost,) = [one for one in costs(symbols, EVALUATION, WORKERS) if one.sampler == sampler]
    few, many = cost.evaluations
    assert few < ENOUGH / rate < many


def test_more_symbols_cost_more() -> None:
    for fewer, more in zip(costs(10, EVALUATION, WORKERS), costs(40, EVALUATION, WORKERS), strict=True):
        assert fewer.evaluations < more.evaluations


def test_times_follow_from_the_evaluations() -> None:
    for cost in costs(15, EVALUATION, WORKERS):
        for number, core_hours, hours in zip(cost.evaluations, cost.core_hours, cost.hours, strict=True):
            assert core_hours == pytest.approx(number * EVALUATION / 3600, rel=1e-2)
            assert hours == pytest.approx(core_hours / WORKERS)


def test_search_and_verdict_of_laplace_count() -> None:
    (cost,) = [one for one in costs(15, EVALUATION, WORKERS) if one.sampler == LAPLACE]
    assert cost.evaluations[0] > ENOUGH
