"""All samplers on the example: the same means and standard deviations as the stretch move, ESPEI's own."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from amounts import LONG
from espei_hpc.fit.around import independent, learned
from espei_hpc.fit.opening import VERIFY
from espei_hpc.likelihood import Evaluator, combine
from espei_hpc.likelihood.rows import bounds, rows
from espei_hpc.sampler import FloatArray
from espei_hpc.sampler.determined import determined
from espei_hpc.sampler.gaussian import Around, resampled
from espei_hpc.sampler.goal import smallest_ess
from espei_hpc.sampler.learning import DRAWS
from espei_hpc.sampler.least_squares import maximum
from espei_hpc.sampler.moves import DE, LAPLACE, MOVES, STRETCH, Laplace, Move
from unit.likelihood.likelihood_cases import Stock
from unit.sampler.serial import apart, chain

ENOUGH = 400.0
LENGTHS = {STRETCH: 12_000, DE: 3_000, LAPLACE: 1_500}
"""Iterations with which each has about that effective sample size, or more."""


class Likelihood:
    """The example's, in this process."""

    def __init__(self, stock: Stock) -> None:
        self.evaluator = Evaluator(replace(stock.recipe, verify=VERIFY).packed())
        self.priors = stock.recipe.priors
        self.initial = np.array(stock.initial)

    def __call__(self, parameters: FloatArray) -> float:
        return combine(self.evaluator.description, [self.evaluator(parameters)])

    def rows(self, points: Sequence[FloatArray]) -> list[FloatArray | None]:
        found = [
            rows(self.evaluator.description, self.priors, point, self.evaluator(point)) for point in points
        ]
        return [one and one.values for one in found]


def around_the_best_fit(likelihood: Likelihood, walkers: int) -> tuple[Move, FloatArray]:
    """Return the move that a fit with ``laplace`` would have, and its starting walkers."""

    def evaluated(points: FloatArray) -> FloatArray:
        return np.array([likelihood(point) for point in points])

    size, random = likelihood.initial.size, np.random.RandomState(2)
    best = maximum(likelihood.initial, *bounds(likelihood.priors, size), likelihood.rows)
    start = Around(best.parameters, determined(best.jacobian).root)
    learning, found = learned(start, evaluated, random, DRAWS, lambda line: None)
    return Laplace(learning.density, independent(found)), learning.points[
        resampled(learning.weights, walkers, random)
    ]


@pytest.fixture(scope="module")
def chains(example: Stock) -> dict[str, FloatArray]:
    """The part that counts of a chain of each sampler."""
    likelihood, found = Likelihood(example), {}
    for name, iterations in LENGTHS.items():
        move, start = MOVES[name], example.chains
        if name == LAPLACE:
            move, start = around_the_best_fit(likelihood, len(start))
        samples = chain(likelihood, start, move, iterations)
        found[name] = samples[:, move.part.begin(iterations) :]
    return found


@pytest.mark.parametrize("name", [pytest.param(name, marks=LONG) for name in (DE, LAPLACE)])
def test_sampler_has_the_means_and_standard_deviations_of_a_long_chain_of_stretch(
    chains: dict[str, FloatArray], name: str
) -> None:
    for one in (STRETCH, name):
        assert smallest_ess(chains[one])[0] > ENOUGH, one
    assert apart(chains[STRETCH], chains[name]) < 4
