"""What the graph asks of a move: random numbers drawn ahead, and from these a proposal."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from espei_hpc.sampler.state import FloatArray


class Proposal(NamedTuple):
    """Where a walker may move.

    Attributes:
        position: (parameters,); the graph refuses one that is not finite.
        gain: added to the difference of log-probabilities: the logarithm of q(old | new) / q(new | old),
            q being the density of proposals given the other half (Hastings (1970), Biometrika 57, 97).
    """

    position: FloatArray
    gain: float


@dataclass(frozen=True, slots=True)
class Draws(ABC):
    """The random numbers of one half-step; they depend on the generator only.

    Attributes:
        partners: for each walker, the numbers of the walkers in the other half that its proposal needs.
        threshold: for each walker, the logarithm of the uniform number that decides about acceptance.
    """

    partners: Sequence[tuple[int, ...]]
    threshold: list[float]

    @abstractmethod
    def proposal(self, walker: int, own: FloatArray, partners: Sequence[FloatArray]) -> Proposal:
        """Return the proposal of a walker.

        Args:
            walker: number within the half.
            own: its position, (parameters,).
            partners: those of its partners in their order, (parameters,) each.
        """


class Part(NamedTuple):
    """The part of a chain that counts as samples.

    Attributes:
        burn_in: one iteration in this many is discarded, from the first one.
        discarded: name of that part of the chain.
        least: length of the rest, in autocorrelation times, from which its effective sample size counts.
        reliable: the same for its autocorrelation time to be reliable.
        halves: whether R-hat compares the two halves of the walkers, instead of each walker with all others.
        rhat: the largest R-hat of a chain that has converged.
    """

    burn_in: int
    discarded: str
    least: float
    reliable: float
    halves: bool
    rhat: float

    def begin(self, iterations: int) -> int:
        """Return the number of the first iteration, of so many, that counts."""
        return iterations // self.burn_in


AFTER_THE_WAY = Part(2, "first half", least=20.0, reliable=50.0, halves=False, rhat=1.01)
"""Of walkers that begin near one another, and have to find where the distribution is.

emcee's authors recommend 50 autocorrelation times, for that of a single quantity; with a typical time of 100
iterations that would be 10,000 iterations of an ESPEI fit, which are seldom run. The limit of R-hat is that
of Vehtari et al. (2021), Bayesian Anal. 16, 667.
"""
FROM_SAMPLES = Part(10, "first tenth", least=10.0, reliable=10.0, halves=True, rhat=1.03)
"""Of walkers that begin as nearly a sample of the distribution.

Their mean is right from the beginning, so a chain that is short underestimates its autocorrelation time by
little: what counts is the number of effective samples. For the same reason R-hat compares halves of the
ensemble: a single walker need not have seen the whole distribution. Between halves of 200 effective samples
each, chance alone makes the largest R-hat of 30 symbols and combinations 1.01 to 1.02.
"""


class Move(Protocol):
    """A way to move a half of the ensemble, given the other half.

    Attributes:
        name: the name that ``--sampler`` takes.
        partners: number of different walkers of the other half that a proposal needs; 0 for none.
        part: the part of its chain that counts as samples.
    """

    name: ClassVar[str]
    partners: ClassVar[int]
    part: ClassVar[Part]

    def draw(self, random: np.random.RandomState, shape: tuple[int, int]) -> Draws:
        """Draw for one half-step.

        Args:
            random: the generator, which is advanced.
            shape: (half, parameters).
        """


def least_walkers(move: Move) -> int:
    """Return the number of walkers below which a half has too few partners for a move."""
    return 2 * max(1, move.partners)
