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


class Move(Protocol):
    """A way to move a half of the ensemble, given the other half.

    Attributes:
        name: the name that ``--sampler`` takes.
        partners: number of different walkers of the other half that a proposal needs; 0 for none.
    """

    name: ClassVar[str]
    partners: ClassVar[int]

    def draw(self, random: np.random.RandomState, shape: tuple[int, int]) -> Draws:
        """Draw for one half-step.

        Args:
            random: the generator, which is advanced.
            shape: (half, parameters).
        """


def least_walkers(move: Move) -> int:
    """Return the number of walkers below which a half has too few partners for a move."""
    return 2 * max(1, move.partners)
