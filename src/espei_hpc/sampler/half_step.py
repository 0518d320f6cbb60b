"""One half-step: half of the walkers, the random numbers of its moves and what came of them."""

from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from espei_hpc.sampler.state import FloatArray, RandomState


@dataclass(frozen=True, slots=True)
class Draws:
    """The random numbers of one half-step, one of each kind for each of its walkers.

    Python's floats: the same double precision arithmetic as numpy's, without
    numpy's warning where two infinities meet.

    Attributes:
        stretch: emcee's ``zz``.
        partner: number of the walker of the other half that is moved along.
        gain: (parameters - 1) ln(stretch), what the move adds to the difference of log-probabilities.
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
        random: goes on by the draws.
        shape: (half, parameters).
        a: scale of the stretch.
    """
    half, parameters = shape
    stretch = ((a - 1.0) * random.rand(half) + 1) ** 2.0 / a
    partner = random.randint(half, size=(half,))
    # Logarithms of whole arrays, as emcee takes them: numpy's logarithm of one
    # number may differ in the last bit from that of the same number in an array.
    threshold = np.log(random.rand(half))
    gain = (parameters - 1.0) * np.log(stretch)
    return Draws(stretch.tolist(), partner.tolist(), gain.tolist(), threshold.tolist())


@dataclass(slots=True)
class HalfStep:
    """Half of the ensemble after a half-step, filled in as the results come.

    Attributes:
        positions: (half, parameters).
        log_probabilities: (half,).
        random: the random numbers' state after the draws.
        draws: empty for the starting positions, which are not proposed.
        accepted: (half,), whose proposal was accepted.
        unknown: number of walkers whose result has not come.
        missing: of each walker, the number of parents whose result has not come.
        followers: of each walker of the other half, those here who are moved along it.
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
        """Return (parameters,), where a walker is to be evaluated.

        Args:
            walker: number within the half.
            own: this half before the move.
            other: the other half, along which it moves.
        """
        partner: FloatArray = other.positions[self.draws.partner[walker]]
        with np.errstate(over="ignore", invalid="ignore"):  # refused in words by who asked
            moved: FloatArray = partner - self.draws.stretch[walker] * (partner - own.positions[walker])
        return moved

    def settle(self, walker: int, own: "HalfStep", proposal: FloatArray, new: float) -> None:
        """Accept or reject a proposal; the order of the operations is emcee's, for the last bit.

        Args:
            walker: number within the half.
            own: this half before the move.
            proposal: (parameters,), what :meth:`proposal` returned.
            new: the log-probability there.
        """
        old = own.log_probabilities.item(walker)
        # Between two impossible points the sum is NaN, which exceeds nothing: rejected, as by emcee.
        accepted = self.draws.gain[walker] + new - old > self.draws.threshold[walker]
        self.accepted[walker] = accepted
        self.positions[walker] = proposal if accepted else own.positions[walker]
        self.log_probabilities[walker] = new if accepted else old


def started(positions: FloatArray, random: RandomState) -> HalfStep:
    """Return a half at its starting positions, (half, parameters)."""
    positions = np.array(positions, dtype=np.float64)
    return HalfStep(positions, np.empty(len(positions)), random, Draws([], [], [], []))


def proposed(random: np.random.RandomState, shape: tuple[int, int], a: float) -> HalfStep:
    """Return a half that is to be moved, with the next draws made for it (see :func:`draw`)."""
    draws = draw(random, shape, a)
    return HalfStep(np.empty(shape), np.empty(shape[0]), cast(RandomState, random.get_state()), draws)
