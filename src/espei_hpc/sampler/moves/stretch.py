"""The stretch move of emcee 2.2.1, bit for bit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from espei_hpc.sampler.moves.move import AFTER_THE_WAY, Draws, Part, Proposal
from espei_hpc.sampler.state import FloatArray


@dataclass(frozen=True, slots=True)
class StretchDraws(Draws):
    """The random numbers of a half-step, one of each kind for each of its walkers.

    They are Python floats: the same double precision arithmetic as numpy's, without
    numpy's warning for the difference of two infinities.

    Attributes:
        stretch: emcee's ``zz``.
        gain: (parameters - 1) ln(stretch).
    """

    stretch: list[float]
    gain: list[float]

    def proposal(self, walker: int, own: FloatArray, partners: Sequence[FloatArray]) -> Proposal:
        """Return ``c - z (c - x)``, with the operations in emcee's order, to get the same bits."""
        (partner,) = partners
        return Proposal(partner - self.stretch[walker] * (partner - own), self.gain[walker])


@dataclass(frozen=True)
class Stretch:
    """The stretch move.

    Source: ``emcee.EnsembleSampler._propose_stretch``; Goodman and Weare (2010),
    Comm. App. Math. Comp. Sci. 5, 65, equations 7 to 10.

    Attributes:
        a: scale of the stretch, emcee's ``a``.
    """

    a: float = 2.0
    name: ClassVar[str] = "stretch"
    partners: ClassVar[int] = 1
    part: ClassVar[Part] = AFTER_THE_WAY

    def draw(self, random: np.random.RandomState, shape: tuple[int, int]) -> StretchDraws:
        """Draw in the order and by the formulas of emcee 2.2.1.

        Args:
            random: the generator, which is advanced.
            shape: (half, parameters).
        """
        half, parameters = shape
        stretch = ((self.a - 1.0) * random.rand(half) + 1) ** 2.0 / self.a
        partner = random.randint(half, size=(half,))
        # Logarithms of whole arrays, as in emcee: numpy's logarithm of a scalar may
        # differ in the last bit from that of the same number in an array.
        threshold = np.log(random.rand(half))
        gain = (parameters - 1.0) * np.log(stretch)
        partners = [(number,) for number in partner.tolist()]
        return StretchDraws(partners, threshold.tolist(), stretch.tolist(), gain.tolist())
