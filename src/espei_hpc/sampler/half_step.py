"""One half-step: half of the walkers, the random numbers of their moves, and the results."""

from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from espei_hpc.sampler.state import FloatArray, RandomState


@dataclass(frozen=True, slots=True)
class Draws:
    """The random numbers of one half-step, one of each kind for each of its walkers.

    They are Python floats: the same double precision arithmetic as numpy's, without
    numpy's warning for the difference of two infinities.

    Attributes:
        stretch: emcee's ``zz``.
        partner: number of the partner in the other half.
        gain: (parameters - 1) ln(stretch), added to the difference of log-probabilities.
        threshold: logarithm of the uniform number that the sum must exceed.
    """

    stretch: list[float]
    partner: list[int]
    gain: list[float]
    threshold: list[float]


def draw(random: np.random.RandomState, shape: tuple[int, int], a: float) -> Draws:
    """Draw for one half-step, in the order and by the formulas of emcee 2.2.1.

    Source: ``emcee.EnsembleSampler._propose_stretch``; Goodman and Weare (2010),
    Comm. App. Math. Comp. Sci. 5, 65, equations 7 to 10.

    Args:
        random: the generator, which is advanced.
        shape: (half, parameters).
        a: scale of the stretch.
    """
    half, parameters = shape
    stretch = ((a - 1.0) * random.rand(half) + 1) ** 2.0 / a
    partner = random.randint(half, size=(half,))
    # Logarithms of whole arrays, as in emcee: numpy's logarithm of a scalar may
    # differ in the last bit from that of the same number in an array.
    threshold = np.log(random.rand(half))
    gain = (parameters - 1.0) * np.log(stretch)
    return Draws(stretch.tolist(), partner.tolist(), gain.tolist(), threshold.tolist())


@dataclass(slots=True)
class HalfStep:
    """Half of the ensemble after a half-step, filled in as results arrive.

    Attributes:
        positions: (half, parameters).
        log_probabilities: (half,).
        random: the random numbers' state after the draws.
        draws: empty for the starting positions, which are not proposed.
        accepted: (half,), whether the proposal was accepted.
        unknown: number of walkers without a result.
        missing: for each walker, the number of parents without a result.
        followers: for each walker of the other half, the walkers here that have it as partner.
    """

    positions: FloatArray
    log_probabilities: FloatArray
    random: RandomState
    draws: Draws
    accepted: NDArray[np.bool_] = field(init=False)
    unknown: int = field(init=False)
    missing: list[int] = field(init=False)
    followers: list[list[int]] = field(init=False)

    def __post_init__(self) -> None:
        half = len(self.positions)
        self.accepted = np.zeros(half, dtype=np.bool_)
        self.unknown = half
        self.missing = [2] * half
        self.followers = [[] for _ in range(half)]
        for walker, partner in enumerate(self.draws.partner):
            self.followers[partner].append(walker)

    def proposal(self, walker: int, own: "HalfStep", other: "HalfStep") -> FloatArray:
        """Return the proposal of a walker, (parameters,).

        Args:
            walker: number within the half.
            own: this half before the move.
            other: the other half, which has the partner.
        """
        partner: FloatArray = other.positions[self.draws.partner[walker]]
        with np.errstate(over="ignore", invalid="ignore"):  # the caller checks for it
            moved: FloatArray = partner - self.draws.stretch[walker] * (partner - own.positions[walker])
        return moved

    def settle(self, walker: int, own: "HalfStep", proposal: FloatArray, new: float) -> None:
        """Accept or reject a proposal, with the operations in emcee's order, to get the same bits.

        Args:
            walker: number within the half.
            own: this half before the move.
            proposal: (parameters,), what :meth:`proposal` returned.
            new: the log-probability there.
        """
        old = own.log_probabilities.item(walker)
        # If both points have probability 0 the sum is NaN, so the comparison is false: rejected, as in emcee.
        accepted = self.draws.gain[walker] + new - old > self.draws.threshold[walker]
        self.accepted[walker] = accepted
        self.positions[walker] = proposal if accepted else own.positions[walker]
        self.log_probabilities[walker] = new if accepted else old


def started(positions: FloatArray, random: RandomState) -> HalfStep:
    """Return a half at its starting positions, (half, parameters)."""
    positions = np.array(positions, dtype=np.float64)
    return HalfStep(positions, np.empty(len(positions)), random, Draws([], [], [], []))


def proposed(random: np.random.RandomState, shape: tuple[int, int], a: float) -> HalfStep:
    """Return a half to be moved, with its draws (see :func:`draw`)."""
    draws = draw(random, shape, a)
    return HalfStep(np.empty(shape), np.empty(shape[0]), cast(RandomState, random.get_state()), draws)
