"""The density to propose from: draws as its logarithm says, and how well it describes another."""

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from espei_hpc.sampler.gaussian import (
    DEGREES_OF_FREEDOM,
    TAIL_SHARE,
    Around,
    acceptance,
    pareto_k,
    resampled,
)

ROOT = np.array([[3.0, 0.0], [1.0, 0.1]])
MODE = np.array([-5.0, 100.0])


def test_logarithm_is_that_of_the_mixture() -> None:
    around, covariance = Around(MODE, ROOT), ROOT @ ROOT.T
    for point in np.random.default_rng(1).normal(MODE, 5, (20, 2)):
        gaussian = scipy.stats.multivariate_normal(MODE, covariance).pdf(point)
        tail = scipy.stats.multivariate_t(MODE, covariance, df=DEGREES_OF_FREEDOM).pdf(point)
        expected = np.log((1 - TAIL_SHARE) * gaussian + TAIL_SHARE * tail)
        assert around.logarithm(point) == pytest.approx(expected, rel=1e-10)


def test_draws_are_distributed_as_the_logarithm_says() -> None:
    around = Around(np.zeros(1), np.eye(1))

    def density(x: float) -> float:
        return float(np.exp(around.logarithm(np.array([x]))))

    drawn = around.draw(np.random.RandomState(2), 4000)[:, 0]
    for limit in (-2.0, -0.5, 0.3, 1.5):
        below = scipy.integrate.quad(density, -np.inf, limit)[0]
        error = np.sqrt(below * (1 - below) / drawn.size)
        assert np.mean(drawn < limit) == pytest.approx(below, abs=4 * error)


def test_draws_do_not_depend_on_how_many_are_drawn_of_each() -> None:
    around = Around(MODE, ROOT)
    random = np.random.RandomState(3)
    drawn = around.draw(random, 50)
    assert len(np.unique(drawn, axis=0)) == 50
    assert np.array_equal(around.draw(np.random.RandomState(3), 50), drawn)


def weights(spread: float, parameters: int = 4, draws: int = 400) -> np.ndarray:
    """Weights of a Gaussian as wide as ``spread`` times the one that it is described by."""
    around = Around(np.zeros(parameters), np.eye(parameters))
    points = around.draw(np.random.RandomState(4), draws)
    return np.array([-0.5 * point @ point / spread**2 - around.logarithm(point) for point in points])


def test_density_that_fits_has_a_small_k_and_is_accepted() -> None:
    found = weights(1.0)
    assert pareto_k(found) < 0.5
    assert acceptance(found) > 0.85


def test_density_that_is_too_narrow_has_a_large_k_and_is_accepted_less() -> None:
    narrow, right = weights(6.0), weights(1.0)
    assert pareto_k(narrow) > 0.7 > pareto_k(right)
    assert acceptance(narrow) < acceptance(right)


def test_k_of_few_weights_is_pulled_towards_one_half() -> None:
    def shape(draws: int) -> float:
        """Return k of the quantiles of a distribution whose k is 1.5."""
        quantiles = scipy.stats.genpareto.ppf((np.arange(draws) + 0.5) / draws, 1.5)
        return pareto_k(np.log(quantiles))

    assert shape(50) < 1.0
    assert shape(5_000) == pytest.approx(1.5, abs=0.1)


def test_impossible_draws_have_no_weight() -> None:
    found = weights(1.0)
    found[::2] = -np.inf
    assert 0.3 < acceptance(found) < 0.6
    assert not set(range(0, 400, 2)) & set(resampled(found, 100, np.random.RandomState(5)))


def test_density_whose_draws_are_all_impossible_describes_nothing() -> None:
    none = np.full(200, -np.inf)
    assert acceptance(none) == 0
    assert pareto_k(none) == np.inf


def test_draws_are_chosen_once_each_and_by_their_weight() -> None:
    log_weights = np.log(np.arange(1.0, 101.0))
    chosen = [resampled(log_weights, 10, np.random.RandomState(seed)) for seed in range(200)]
    assert all(len(set(one)) == 10 for one in chosen)
    assert np.mean(chosen) == pytest.approx(65.5, abs=2)
