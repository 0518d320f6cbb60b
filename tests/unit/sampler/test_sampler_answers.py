"""The moves sample what they are given: densities whose means, variances and quantiles are known.

Each of these is the mean of a function over the density: x, (x - mean)^2, or whether x is below a quantile.
Its Monte Carlo error is the function's standard deviation over the square root of its effective sample size
(``statistics.effective_sample_size``, in the part of the chain that counts), and four of these are allowed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.stats

from amounts import LONG
from espei_hpc.fit.around import independent, learned
from espei_hpc.sampler import FloatArray
from espei_hpc.sampler.gaussian import Around
from espei_hpc.sampler.moves import AFTER_THE_WAY, FROM_SAMPLES, MOVES, Laplace, Part
from espei_hpc.sampler.statistics import effective_sample_size
from unit.sampler.serial import LogProbability, chain

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
LEAST_SIZE = 100.0
"""Least effective sample size: with fewer the error itself is not known."""


@dataclass(frozen=True)
class Target:
    """A density.

    Attributes:
        log_probability: its logarithm, but for a constant.
        draw: draws walkers from it, or from near it, (walkers, parameters).
        marginals: known quantiles of parameters: by number, the quantile function.
        moments: known mean and variance of parameters, by number.
    """

    log_probability: LogProbability
    draw: Callable[[np.random.Generator, int], FloatArray]
    marginals: dict[int, Callable[[float], float]]
    moments: dict[int, tuple[float, float]]

    def expected(self, samples: FloatArray) -> Iterator[tuple[str, FloatArray, float]]:
        """Yield functions of samples, (walkers, iterations, parameters), and what their means are."""
        for number, (mean, variance) in self.moments.items():
            yield f"mean of {number}", samples[..., number], mean
            yield f"variance of {number}", (samples[..., number] - mean) ** 2, variance
        for number, quantile in self.marginals.items():
            for share in QUANTILES:
                below = samples[..., number] < quantile(share)
                yield f"{share} of {number}", below.astype(np.float64), share


def gaussian(parameters: int) -> Target:
    """Correlated, and each parameter a hundred times as wide as the one before."""
    lags = np.abs(np.subtract.outer(np.arange(parameters), np.arange(parameters)))
    width = 100.0 ** (np.arange(parameters) % 4)
    covariance = 0.9**lags * np.outer(width, width)
    root, inverse = np.linalg.cholesky(covariance), np.linalg.inv(covariance)
    return Target(
        lambda x: float(-0.5 * x @ inverse @ x),
        lambda random, walkers: random.standard_normal((walkers, parameters)) @ root.T,
        {i: scipy.stats.norm(scale=width[i]).ppf for i in (0, parameters - 1)},
        {i: (0.0, width[i] ** 2) for i in range(parameters)},
    )


def banana() -> Target:
    """x is normal, and y is normal with standard deviation 1/2 around x^2 - 1."""
    return Target(
        lambda x: float(-0.5 * x[0] ** 2 - 2 * (x[1] - x[0] ** 2 + 1) ** 2),
        lambda random, walkers: random.standard_normal((walkers, 2)),
        {0: scipy.stats.norm().ppf},
        {0: (0.0, 1.0), 1: (0.0, 2.25)},
    )


def two_modes() -> Target:
    """Two normal densities, 10 apart in each parameter; three quarters of the walkers start in the wrong one.

    Their weights, 0.3 and 0.7, are reached by jumps alone. In five dimensions these need gamma = 1: with
    2.38 / sqrt(10) = 0.75 alone the effective sample size is a third.
    """

    def draw(random: np.random.Generator, walkers: int) -> FloatArray:
        drawn: FloatArray = random.standard_normal((walkers, 5))
        drawn[3 * walkers // 4 :] += 10.0
        return drawn

    def below(share: float) -> float:
        normal = scipy.stats.norm
        at = scipy.optimize.brentq(lambda x: 0.3 * normal.cdf(x) + 0.7 * normal.cdf(x - 10) - share, -9, 19)
        return float(at)

    return Target(
        lambda x: float(np.logaddexp(np.log(0.3) - 0.5 * x @ x, np.log(0.7) - 0.5 * (x - 10) @ (x - 10))),
        draw,
        {0: below, 4: below},
        {0: (7.0, 22.0), 4: (7.0, 22.0)},
    )


def heavy_tails() -> Target:
    """Student's t with 3 degrees of freedom, whose x^2 has no variance: quantiles only."""
    return Target(
        lambda x: float(-3.0 * np.log1p(x @ x / 3)),
        lambda random, walkers: random.standard_t(3, (walkers, 3)),
        {i: scipy.stats.t(3).ppf for i in range(3)},
        {},
    )


def bounded() -> Target:
    """x uniform from 0 to 1, y exponential: no density beyond, and jumps of it at the bounds."""
    return Target(
        lambda x: float(-x[1]) if 0 < x[0] < 1 and x[1] > 0 else -np.inf,
        lambda random, walkers: random.uniform(size=(walkers, 2)),
        {0: lambda share: share, 1: scipy.stats.expon().ppf},
        {0: (0.5, 1 / 12), 1: (1.0, 1.0)},
    )


def skewed() -> Target:
    """Each parameter by Gumbel's distribution, 1, 100 and 1 wide."""
    width = np.array([1.0, 100.0, 1.0])

    def log_probability(x: FloatArray) -> float:
        z = x / width
        return float(-(z + np.exp(-z)).sum()) if z.min() > -50 else -np.inf

    return Target(
        log_probability,
        lambda random, walkers: random.gumbel(size=(walkers, 3)) * width,
        {i: scipy.stats.gumbel_r(scale=width[i]).ppf for i in range(3)},
        {i: (np.euler_gamma * width[i], np.pi**2 / 6 * width[i] ** 2) for i in range(3)},
    )


def wrong(target: Target, samples: FloatArray, part: Part = AFTER_THE_WAY) -> Sequence[str]:
    """Return what is further from what is known than four Monte Carlo errors."""
    off = []
    for name, values, mean in target.expected(samples[:, part.begin(samples.shape[1]) :]):
        size = effective_sample_size(values)
        assert size > LEAST_SIZE, f"{name}: effective sample size {size:.0f}"
        errors = abs(values.mean() - mean) / (values.std() / np.sqrt(size))
        if errors > 4:
            off.append(f"{name}: {values.mean():.5g}, not {mean:.5g}: {errors:.1f} errors")
    return off


TARGETS = [
    pytest.param(gaussian(6), 24, 1500, id="Gaussian, d = 6"),
    pytest.param(gaussian(6), 12, 6000, id="Gaussian, d = 6, two walkers for each parameter", marks=LONG),
    pytest.param(gaussian(15), 60, 8000, id="Gaussian, d = 15", marks=LONG),
    pytest.param(gaussian(30), 120, 12000, id="Gaussian, d = 30", marks=LONG),
    pytest.param(banana(), 20, 3000, id="banana", marks=pytest.mark.all),
    pytest.param(two_modes(), 24, 4000, id="two modes", marks=pytest.mark.all),
    pytest.param(heavy_tails(), 20, 2000, id="heavy tails", marks=pytest.mark.all),
    pytest.param(bounded(), 20, 1500, id="bounded"),
]


@pytest.mark.parametrize(("target", "walkers", "iterations"), TARGETS)
def test_differential_evolution_samples_the_density(target: Target, walkers: int, iterations: int) -> None:
    start = target.draw(np.random.default_rng(8), walkers)
    assert wrong(target, chain(target.log_probability, start, MOVES["de"], iterations)) == []


def around(target: Target, parameters: int) -> Around:
    """The Gaussian with the mean and the covariance of draws from a density."""
    drawn = target.draw(np.random.default_rng(9), 2000)
    root = np.linalg.cholesky(np.cov(drawn.T).reshape(parameters, parameters))
    return Around(drawn.mean(axis=0), np.asarray(root, dtype=np.float64))


WIDTHS = np.diag(100.0 ** (np.arange(6) % 4))
AROUND = [
    pytest.param(gaussian(6), Around(np.zeros(6), WIDTHS), 1500, id="without its correlations"),
    pytest.param(gaussian(15), None, 300, id="Gaussian, d = 15"),
    pytest.param(gaussian(30), None, 300, id="Gaussian, d = 30", marks=LONG),
    pytest.param(gaussian(60), None, 300, id="Gaussian, d = 60", marks=LONG),
    pytest.param(
        banana(), Around(np.array([0.0, -1.0]), np.diag([1.0, 0.5])), 6000, id="banana", marks=pytest.mark.all
    ),
    pytest.param(two_modes(), Around(np.full(5, 10.0), np.eye(5)), 8000, id="one of two modes", marks=LONG),
    pytest.param(
        heavy_tails(), Around(np.zeros(3), np.eye(3)), 1500, id="heavy tails", marks=pytest.mark.all
    ),
    pytest.param(bounded(), None, 1500, id="bounded"),
]


@pytest.mark.parametrize(("target", "given", "iterations"), AROUND)
def test_proposals_around_a_point_sample_the_density_however_well_they_describe_it(
    target: Target, given: Around | None, iterations: int
) -> None:
    start = target.draw(np.random.default_rng(8), 24)
    density = given or around(target, start.shape[1])
    assert wrong(target, chain(target.log_probability, start, Laplace(density), iterations)) == []


@pytest.mark.parametrize(
    ("target", "start"),
    [
        pytest.param(skewed(), Around(np.zeros(3), np.diag([1.0, 100.0, 1.0])), id="skewed"),
        pytest.param(skewed(), Around(np.array([0.0, 200.0, -1.0]), np.diag([0.5, 30.0, 0.5])), id="far off"),
        pytest.param(heavy_tails(), Around(np.zeros(3), np.eye(3)), id="heavy tails", marks=pytest.mark.all),
    ],
)
def test_chain_from_a_density_that_was_learned_samples_right_from_a_tenth_on(
    target: Target, start: Around
) -> None:
    def evaluated(points: FloatArray) -> FloatArray:
        return np.array([target.log_probability(point) for point in points])

    random = np.random.RandomState(6)
    learning, found = learned(start, evaluated, random, 200, lambda line: None)
    walkers = learning.sample(40, random)
    move = Laplace(learning.density, independent(found))
    samples = chain(target.log_probability, walkers, move, 400)
    assert wrong(target, samples, FROM_SAMPLES) == []
