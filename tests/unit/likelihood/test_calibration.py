"""Simulation-based calibration of the samplers, on enthalpies that pycalphad calculates.

Parameters are drawn from their priors, and data are drawn around what they give. Among samples of the
posterior the true value then has each rank equally often (Talts and others (2018), arXiv 1804.06788). Another
value of a datum shifts its row by a number, so one likelihood of ESPEI serves all simulated data.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import scipy.stats

from amounts import LONG
from espei_hpc.likelihood import Evaluator
from espei_hpc.likelihood.rows import rows
from espei_hpc.sampler import FloatArray
from espei_hpc.sampler.determined import determined
from espei_hpc.sampler.gaussian import Around
from espei_hpc.sampler.moves import MOVES, Laplace, Move
from espei_hpc.sampler.moves.laplace import LaplaceDraws
from unit.likelihood.likelihood_cases import Stock
from unit.sampler.serial import chain

WALKERS, ITERATIONS, THIN = 24, 60, 6
FEW = 15
SPREAD = 0.1
"""Standard deviation of the priors, relative to the values."""
UNLIKELY = 1e-4
"""Probability below which ranks are not uniform by chance. The random numbers are always the same."""


class Model:
    """The enthalpies of the example as functions of its symbols, in standard deviations."""

    def __init__(self, stock: Stock) -> None:
        self._evaluator = Evaluator(stock.recipe.packed())
        self.center = np.asarray(stock.initial, dtype=np.float64)
        self.deviation = SPREAD * np.abs(self.center)

    def calculated(self, scaled: FloatArray) -> FloatArray:
        """Return calculated less measured values for parameters in standard deviations of their priors."""
        at = self.center + self.deviation * scaled
        found = rows(self._evaluator.description, (), at, self._evaluator(at))
        assert found is not None
        return found.values


def around(model: Model, measured: FloatArray) -> Around:
    """Return the Gaussian around the best fit; enthalpies are linear in the symbols."""
    size = model.center.size
    base = model.calculated(np.zeros(size))
    slopes = np.array([model.calculated(one) - base for one in np.eye(size)]).T
    jacobian = np.vstack((slopes, np.eye(size)))
    known = determined(jacobian)
    mode = known.covariance @ slopes.T @ (measured - base)
    return Around(mode, known.root)


def shares(model: Model, move_around: Callable[[Around], Move], number: int) -> FloatArray:
    """Return the share of samples below the true value, (number, parameters), for data drawn as often."""
    random, size = np.random.default_rng(5), model.center.size
    found = []
    for _ in range(number):
        true = random.standard_normal(size)
        truly = model.calculated(true)
        measured = truly + random.standard_normal(truly.size)
        gaussian = around(model, measured)
        # Walkers that start as samples need no burn-in, so that the test is of the moves alone.
        start = gaussian.mode + random.standard_normal((WALKERS, size)) @ gaussian.root.T

        def log_probability(scaled: FloatArray, measured: FloatArray = measured) -> float:
            difference = model.calculated(scaled) - measured
            return float(-0.5 * (difference @ difference + scaled @ scaled))

        seed = int(random.integers(2**31))
        samples = chain(log_probability, start, move_around(gaussian), ITERATIONS, seed)
        found.append((samples[:, THIN - 1 :: THIN].reshape(-1, size) < true).mean(axis=0))
    return np.array(found)


def least_likely(found: FloatArray) -> float:
    """Return the smallest probability of all parameters that such shares are uniform."""
    return min(float(scipy.stats.kstest(found[:, one], "uniform").pvalue) for one in range(found.shape[1]))


@pytest.mark.parametrize(
    ("name", "number"),
    [
        pytest.param("laplace", FEW, id="laplace-few", marks=pytest.mark.all),
        *(pytest.param(name, 300, id=f"{name}-many", marks=LONG) for name in MOVES),
    ],
)
def test_true_values_have_every_rank_equally_often(enthalpies: Stock, name: str, number: int) -> None:
    def move(gaussian: Around) -> Move:
        return Laplace(gaussian) if name == Laplace.name else MOVES[name]

    assert least_likely(shares(Model(enthalpies), move, number)) > UNLIKELY


@pytest.mark.long
def test_sampler_of_too_narrow_a_density_is_found(enthalpies: Stock) -> None:
    @dataclass(frozen=True)
    class Narrow(Laplace):
        """Takes every draw of a Gaussian that is four times too narrow."""

        def draw(self, random: np.random.RandomState, shape: tuple[int, int]) -> LaplaceDraws:
            draws = super().draw(random, shape)
            return replace(draws, partners=[()] * shape[0], threshold=[-np.inf] * shape[0])

    def move(gaussian: Around) -> Move:
        return Narrow(Around(gaussian.mode, gaussian.root / 4))

    assert least_likely(shares(Model(enthalpies), move, FEW)) < UNLIKELY
