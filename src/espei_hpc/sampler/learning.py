"""A density to propose from, learned in rounds from draws of it (adaptive multiple importance sampling).

In each round points are drawn from the present density, and p is evaluated there. All points so far are
then seen as draws from the mixture of all densities so far, each with its share of the points, so their
weights are

    w(x) = p(x) / sum_t (n_t / n) q_t(x)

(J.-M. Cornuet, J.-M. Marin, A. Mira and C. P. Robert, Scand. J. Stat. 39 (2012) 798). The mode and covariance
of the next density are the weighted mean and covariance of the points.

Where the first density is far off, a few points have nearly all the weight, and a covariance of few points
is wrong. So the weights are raised to the largest power, 1 at most, with which they are worth enough points:
the density moves towards p by as much as its points can tell.
"""

from dataclasses import dataclass, field

import numpy as np
import scipy.optimize
from scipy.special import logsumexp

from espei_hpc.sampler.gaussian import Around, resampled
from espei_hpc.sampler.state import FloatArray

DRAWS, ROUNDS = 200, 6
"""Points of a round, at least, and rounds, at most: fewer points judge badly."""
LEAST = 3
"""Points for each parameter that the weights must be worth for a mean and a covariance."""
PRIOR = 2
"""Points for each parameter that the covariance before is worth beside them."""


@dataclass
class Learning:
    """Densities, each learned from the draws of those before.

    Attributes:
        density: the present one; draw from it, then :meth:`add`.
        points: all points so far, shape (points, parameters).
        weights: logarithm of p at each point less that of the mixture from which it was drawn, (points,).
        latest: logarithms of p / q of the draws of the last round, (draws,).
    """

    density: Around
    points: FloatArray = field(init=False)
    weights: FloatArray = field(init=False)
    latest: FloatArray = field(init=False)
    _known: FloatArray = field(init=False)
    _rounds: list[tuple[Around, int]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.points, self._known = np.empty((0, self.density.mode.size)), np.empty(0)

    def add(self, points: FloatArray, log_probabilities: FloatArray) -> None:
        """Take the draws of a round.

        Args:
            points: draws from the present density, shape (draws, parameters).
            log_probabilities: ln p of each, shape (draws,); minus infinity where p is 0.
        """
        self._rounds.append((self.density, len(points)))
        self.points = np.concatenate((self.points, points))
        self._known = np.concatenate((self._known, log_probabilities))
        of_each = np.array([[one.logarithm(point) for point in self.points] for one, _ in self._rounds])
        shares = np.array([draws for _, draws in self._rounds]) / len(self.points)
        self.weights = self._known - logsumexp(of_each + np.log(shares)[:, np.newaxis], axis=0)
        self.latest = (self._known - of_each[-1])[-len(points) :]

    def learn(self) -> None:
        """Make the next density the present one; it stays if too few points are possible."""
        possible = np.isfinite(self.weights)
        points, size = self.points[possible], self.density.mode.size
        if len(points) <= LEAST * size:
            return
        weights = _tempered(self.weights[possible], LEAST * size)
        share = np.exp(weights - logsumexp(weights))
        # Not by products of matrices, whose digits depend on the number of threads.
        mode = np.einsum("n,ni->i", share, points)
        found = np.einsum("n,ni,nj->ij", share, points - mode, points - mode)
        before = np.einsum("ik,jk->ij", self.density.root, self.density.root)
        worth, prior = effective(weights), PRIOR * size
        covariance = (worth * found + prior * before) / (worth + prior)
        self.density = Around(mode, np.linalg.cholesky(covariance))

    def sample(self, number: int, random: np.random.RandomState) -> FloatArray:
        """Return different points, chosen by their weights: nearly a sample of p, shape (number, parameters).

        Args:
            number: how many.
            random: the generator, which is advanced.
        """
        chosen: FloatArray = self.points[resampled(self.weights, number, random)]
        return chosen


def effective(weights: FloatArray) -> float:
    """Return how many draws from p the weighted points are worth (Kish).

    Args:
        weights: their logarithms, shape (points,); minus infinity where p is 0.
    """
    if not np.isfinite(weights).any():
        return 0.0
    return float(np.exp(2 * logsumexp(weights) - logsumexp(2 * weights)))


def _tempered(weights: FloatArray, least: float) -> FloatArray:
    """Return weights, at most 0, raised to the largest power up to 1 with which they are worth ``least``."""
    weights = weights - weights.max()
    if effective(weights) >= least:
        return weights
    power = scipy.optimize.brentq(lambda power: effective(power * weights) - least, 0.0, 1.0)
    tempered: FloatArray = power * weights
    return tempered
