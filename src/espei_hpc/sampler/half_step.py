"""One half-step: half of the walkers, the random numbers of their moves, and the results."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from espei_hpc.sampler.moves import Draws, Proposal
from espei_hpc.sampler.state import FloatArray, RandomState


@dataclass(slots=True)
class HalfStep:
    """Half of the ensemble after a half-step, filled in as results arrive.

    Attributes:
        positions: (half, parameters).
        log_probabilities: (half,).
        random: the random numbers' state after the draws.
        draws: None for the starting positions, which are not proposed.
        accepted: (half,), whether the proposal was accepted.
        unknown: number of walkers without a result.
        missing: for each walker that is moved, the number of parents without a result.
        followers: for each walker of the other half, the walkers here that have it as partner.
    """

    positions: FloatArray
    log_probabilities: FloatArray
    random: RandomState
    draws: Draws | None
    accepted: NDArray[np.bool_] = field(init=False)
    unknown: int = field(init=False)
    missing: list[int] = field(init=False)
    followers: list[list[int]] = field(init=False)

    def __post_init__(self) -> None:
        half = len(self.positions)
        self.accepted = np.zeros(half, dtype=np.bool_)
        self.unknown = half
        partners = self.draws.partners if self.draws else []
        self.missing = [1 + len(needed) for needed in partners]
        self.followers = [[] for _ in range(half)]
        for walker, needed in enumerate(partners):
            for partner in needed:
                self.followers[partner].append(walker)

    def proposal(self, walker: int, own: "HalfStep", other: "HalfStep") -> Proposal:
        """Return the proposal of a walker.

        Args:
            walker: number within the half.
            own: this half before the move.
            other: the other half, which has the partners.
        """
        draws = self._draws
        partners = [other.positions[partner] for partner in draws.partners[walker]]
        with np.errstate(over="ignore", invalid="ignore"):  # the caller checks for it
            return draws.proposal(walker, own.positions[walker], partners)

    def settle(self, walker: int, own: "HalfStep", proposal: Proposal, new: float) -> None:
        """Accept or reject a proposal, with the operations in emcee's order, to get the same bits.

        Args:
            walker: number within the half.
            own: this half before the move.
            proposal: what :meth:`proposal` returned.
            new: the log-probability there.
        """
        old = own.log_probabilities.item(walker)
        # If both points have probability 0 the sum is NaN, so the comparison is false: rejected, as in emcee.
        accepted = proposal.gain + new - old > self._draws.threshold[walker]
        self.accepted[walker] = accepted
        self.positions[walker] = proposal.position if accepted else own.positions[walker]
        self.log_probabilities[walker] = new if accepted else old

    @property
    def _draws(self) -> Draws:
        assert self.draws is not None  # noqa: S101 (the starting positions are not proposed)
        return self.draws


def started(positions: FloatArray, random: RandomState) -> HalfStep:
    """Return a half at its starting positions, (half, parameters)."""
    positions = np.array(positions, dtype=np.float64)
    return HalfStep(positions, np.empty(len(positions)), random, None)
