"""A density to propose from: mostly a Gaussian, with a share of wider tails.

    q(x) = (1 - w) N(x; m, C) + w t(x; m, C, v)

with the mode m, the covariance C, and Student's t with v degrees of freedom. The tails keep p / q bounded
where p falls more slowly than the Gaussian (a defensive mixture: T. Hesterberg, Technometrics 37 (1995) 185).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import gammaln
from scipy.stats import genpareto

from espei_hpc.sampler.state import FloatArray

TAIL_SHARE = 0.1
DEGREES_OF_FREEDOM = 5.0
LARGEST_WEIGHTS, FEWEST_WEIGHTS = 0.2, 5
"""Fraction of the importance weights whose tail is judged, and how many it takes at least."""
USUAL_SHAPE, USUAL_WEIGHTS = 0.5, 10
"""From few weights k is known to some tenths only: it is estimated as if so many more had this k."""


@dataclass(frozen=True)
class Around:
    """The density q.

    Attributes:
        mode: m, shape (parameters,).
        root: lower triangular, root rootᵀ = C, shape (parameters, parameters).
    """

    mode: FloatArray
    root: FloatArray

    def draw(self, random: np.random.RandomState, number: int) -> FloatArray:
        """Draw points, shape (number, parameters)."""
        wide = random.rand(number) < TAIL_SHARE
        normal = random.standard_normal((number, self.mode.size))
        squares = random.chisquare(DEGREES_OF_FREEDOM, number)
        stretched = np.where(wide, np.sqrt(DEGREES_OF_FREEDOM / squares), 1.0)
        # One after the other: the digits of a product of matrices may depend on their sizes.
        return np.array(
            [self.mode + self.root @ (one * by) for one, by in zip(normal, stretched, strict=True)]
        )

    def logarithm(self, point: FloatArray) -> float:
        """Return ln q at a point, shape (parameters,)."""
        size = self.mode.size
        z = solve_triangular(self.root, point - self.mode, lower=True)
        square = float(z @ z)
        v = DEGREES_OF_FREEDOM
        scale = float(np.log(np.diag(self.root)).sum())
        gaussian = -0.5 * (square + size * math.log(2 * math.pi))
        tail = (
            float(gammaln((v + size) / 2) - gammaln(v / 2))
            - size / 2 * math.log(v * math.pi)
            - (v + size) / 2 * math.log1p(square / v)
        )
        return float(np.logaddexp(math.log(1 - TAIL_SHARE) + gaussian, math.log(TAIL_SHARE) + tail)) - scale


def pareto_k(weights: FloatArray) -> float:
    """Return k of the generalised Pareto distribution of the largest importance weights p / q.

    The smaller, the more reliable is their mean; above 1 they have none (Vehtari, Simpson, Gelman, Yao and
    Gabry, J. Mach. Learn. Res. 25 (2024) 72, who also have the prior for few weights). Infinite if p is 0
    at nearly all draws.

    Args:
        weights: ln p - ln q of each draw, shape (draws,); minus infinity where p is 0.
    """
    if np.isfinite(weights).sum() < FEWEST_WEIGHTS:
        return math.inf
    ordered = np.sort(np.exp(weights - weights.max()))
    tail = ordered[-max(FEWEST_WEIGHTS, math.ceil(LARGEST_WEIGHTS * ordered.size)) :]
    excess = tail[1:] - tail[0]
    found = float(genpareto.fit(excess, floc=0)[0])
    shape: float = (found * excess.size + USUAL_SHAPE * USUAL_WEIGHTS) / (excess.size + USUAL_WEIGHTS)
    return shape


def acceptance(weights: FloatArray) -> float:
    """Return the share of proposals from q that Metropolis' rule accepts.

    Args:
        weights: ln p - ln q of draws from q, shape (draws,); minus infinity where p is 0.
    """
    if not np.isfinite(weights).any():
        return 0.0
    relative = np.exp(weights - weights.max())
    # Of each pair of draws the second is proposed from the first, which is there as often as p has it.
    ratios = np.minimum(relative[:, np.newaxis], relative[np.newaxis, :])
    return float(ratios.sum() / (relative.sum() * relative.size))


def resampled(weights: FloatArray, number: int, random: np.random.RandomState) -> list[int]:
    """Return the numbers of different draws, chosen by their weights (Efraimidis and Spirakis (2006)).

    Args:
        weights: ln p - ln q of each draw, shape (draws,).
        number: how many to choose.
        random: the generator, which is advanced.
    """
    keys = weights - np.log(random.exponential(size=weights.size))
    return [int(one) for one in np.argsort(-keys, kind="stable")[:number]]
