"""Differential evolution: a walker moves by the difference of two walkers of the other half.

Walker x is proposed

    y_i = x_i + gamma (1 + b e_i) (c_i - c'_i)        for each parameter i

with two different walkers c and c' of the other half, drawn with equal probabilities, e_i standard normal,
and gamma = 2.38 / sqrt(2 d) in d dimensions, or 1 in one proposal out of ten. y is accepted with
probability min(1, p(y) / p(x)). Source: ter Braak (2006), Stat. Comput. 16, 239 (DE-MC, equation 2; section
2.1 for gamma = 1), with the two halves of Foreman-Mackey et al. (2013), PASP 125, 306.

It is exact:

- c and c' are drawn as often as c' and c, so the density of y - x, given the other half, is symmetric:
  q(y | x) = q(x | y), and Metropolis' rule with gain 0 leaves p unchanged for each walker of the half.
  The other half does not move meanwhile, so the density of all walkers, the product of p over them, is
  left unchanged by each half-step, and so by any number of them.
- Each parameter has an e_i of its own, from a distribution without bounds. So wherever c and c' differ in
  every parameter, y may lie anywhere, and the chain cannot be caught in the plane that the other half spans
  (Vrugt et al. (2009), Int. J. Nonlinear Sci. Numer. Simul. 10, 273, equation 4, have such an e_i). It
  multiplies the difference, as parameters of CALPHAD differ by ten orders of magnitude and no one size fits.

gamma = 2.38 / sqrt(2 d) gives a Gaussian the best step: the difference of two walkers has twice the
covariance of p, and 2.38^2 / d times it is the best one (Roberts, Gelman and Gilks (1997), Ann. Appl.
Probab. 7, 110). With gamma = 1 a walker in one mode moves to the other if c and c' are in two modes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from espei_hpc.sampler.moves.move import AFTER_THE_WAY, Draws, Part, Proposal
from espei_hpc.sampler.state import FloatArray

JUMPS = 0.1
"""Fraction of the proposals with gamma = 1; ter Braak's."""
JITTER = 1e-5
"""The b above; emcee 3 has the same. Small, because in the narrow direction of a correlated density the
error of the difference must stay below the width there: up to about 1e4 times narrower than the widest."""


@dataclass(frozen=True, slots=True)
class DifferenceDraws(Draws):
    """The random numbers of a half-step.

    Attributes:
        scale: (half, parameters), the gamma (1 + b e_i) of each walker and parameter.
    """

    scale: FloatArray

    def proposal(self, walker: int, own: FloatArray, partners: Sequence[FloatArray]) -> Proposal:
        """Return the walker's position plus its scale times the difference of its two partners."""
        one, other = partners
        return Proposal(own + self.scale[walker] * (one - other), 0.0)


class DifferentialEvolution:
    """The move of differential evolution."""

    name: ClassVar[str] = "de"
    partners: ClassVar[int] = 2
    part: ClassVar[Part] = AFTER_THE_WAY

    def draw(self, random: np.random.RandomState, shape: tuple[int, int]) -> DifferenceDraws:
        """Draw scales, then partners, then thresholds.

        Args:
            random: the generator, which is advanced.
            shape: (half, parameters).
        """
        half, parameters = shape
        gamma = np.where(random.rand(half) < JUMPS, 1.0, 2.38 / math.sqrt(2 * parameters))
        scale = gamma[:, np.newaxis] * (1.0 + JITTER * random.standard_normal(shape))
        one = random.randint(half, size=(half,))
        other = (one + random.randint(1, half, size=(half,))) % half
        partners = list(zip(one.tolist(), other.tolist(), strict=True))
        threshold = np.log(random.rand(half))
        return DifferenceDraws(partners, threshold.tolist(), scale)
