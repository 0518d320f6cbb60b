"""Proposals from a density that was learned around the best fit, mixed with differential evolution.

In a fixed share of the proposals, y is drawn from the density q (:mod:`espei_hpc.sampler.gaussian`, learned
by :mod:`espei_hpc.sampler.learning`), whatever the walker's position x. It is accepted with probability

    min(1, p(y) q(x) / (p(x) q(y)))

(the independence sampler: L. Tierney, Ann. Statist. 22 (1994) 1701, section 2.3.3; q begins as the Laplace
approximation, hence the name). Otherwise y is proposed by differential evolution.

It is exact: each of the two leaves the density of the walkers unchanged, and which one is used is drawn
without regard to where they are. q and the share are fixed before the chain begins, so nothing in the chain
depends on its past. What q misses (other modes, tails, bent ridges) the differences between the walkers
reach.

A walker with a proposal from q needs no partner, so it waits for nothing but itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from espei_hpc.sampler.gaussian import Around
from espei_hpc.sampler.moves.de import DifferenceDraws, DifferentialEvolution
from espei_hpc.sampler.moves.move import FROM_SAMPLES, Draws, Part, Proposal
from espei_hpc.sampler.state import FloatArray, RandomState

MOSTLY = 0.8
"""Fraction of the proposals that are drawn from q, where q describes the fit."""
EVENLY = 0.5
"""The same where it does so roughly: a walker where q is far too low moves by differential evolution only."""


@dataclass(frozen=True, slots=True)
class LaplaceDraws(Draws):
    """The random numbers of a half-step.

    Attributes:
        around: q.
        drawn: a draw from q for each walker, (half, parameters).
        differences: the draws of differential evolution, for the walkers with partners.
    """

    around: Around
    drawn: FloatArray
    differences: DifferenceDraws

    def proposal(self, walker: int, own: FloatArray, partners: Sequence[FloatArray]) -> Proposal:
        """Return the draw, or the proposal of differential evolution if there are partners."""
        if partners:
            return self.differences.proposal(walker, own, partners)
        position = self.drawn[walker]
        return Proposal(position, self.around.logarithm(own) - self.around.logarithm(position))


@dataclass(frozen=True)
class Laplace:
    """The move that draws most proposals from a density.

    Attributes:
        around: q; None for a Gaussian around 0, of which a forecast needs only the graph.
        independent: fraction of the proposals that are drawn from q.
    """

    around: Around | None = None
    independent: float = MOSTLY
    name: ClassVar[str] = "laplace"
    partners: ClassVar[int] = 2
    part: ClassVar[Part] = FROM_SAMPLES

    def draw(self, random: np.random.RandomState, shape: tuple[int, int]) -> LaplaceDraws:
        """Draw which walkers have partners, then for all of them what either proposal needs.

        Args:
            random: the generator, which is advanced.
            shape: (half, parameters).
        """
        half, parameters = shape
        around = self.around or Around(np.zeros(parameters), np.eye(parameters))
        alone = random.rand(half) < self.independent
        drawn = around.draw(random, half)
        differences = DifferentialEvolution().draw(random, shape)
        partners = [() if one else pair for one, pair in zip(alone, differences.partners, strict=True)]
        return LaplaceDraws(partners, differences.threshold, around, drawn, differences)


def drawn_around(
    random: RandomState, shape: tuple[int, int], iterations: int, independent: float = MOSTLY
) -> NDArray[np.bool_]:
    """Return which proposals of a chain were drawn from q, (walkers, iterations).

    That depends on the random numbers only, so it can be found again.

    Args:
        random: the random numbers' state at the start of the chain.
        shape: (half, parameters).
        iterations: number of iterations.
        independent: fraction of the proposals that are drawn from q.
    """
    generator, move = np.random.RandomState(), Laplace(independent=independent)
    generator.set_state(random)
    half_steps = [
        [not partners for partners in move.draw(generator, shape).partners] for _ in range(2 * iterations)
    ]
    # Of each iteration first one half, then the other.
    return np.array(half_steps, dtype=np.bool_).reshape(iterations, 2 * shape[0]).T
