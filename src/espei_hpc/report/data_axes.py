"""What data are best drawn against: the composition, the temperature, or the calculated values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from espei_hpc.report.measured import Compared

FEWEST_PLACES = 3
"""Compositions or temperatures that make an axis worth its place."""
MOST_CURVES = 8
"""Temperatures, or compositions, that one plot has curves for."""
DIGITS = 6
"""Of compositions that count as the same."""


@dataclass(frozen=True)
class Axis:
    """What values are drawn against.

    Attributes:
        label: of the axis.
        of_element: the element whose mole fraction it is; empty for the temperature.
    """

    label: str
    of_element: str = ""

    def place(self, one: Compared) -> float:
        """Return where a value lies."""
        return dict(one.point.fractions)[self.of_element] if self.of_element else one.point.temperature

    def curve(self, one: Compared) -> tuple[Any, ...]:
        """Return what values on one curve have in common."""
        other = one.point.temperature if self.of_element else _composition(one)
        return other, one.point.configuration


def _composition(one: Compared) -> tuple[float, ...]:
    return tuple(round(fraction, DIGITS) for _, fraction in one.point.fractions)


def chosen(compared: Sequence[Compared]) -> Axis | None:
    """Return what values of a phase are best drawn against; None for measured against calculated."""
    present = sorted({name for one in compared for name, x in one.point.fractions if round(x, DIGITS) > 0})
    compositions = {_composition(one) for one in compared}
    temperatures = {one.point.temperature for one in compared}
    if len(present) == 2 and len(compositions) >= FEWEST_PLACES and len(temperatures) <= MOST_CURVES:
        # The second element, as in the phase diagram.
        return Axis(f"x({present[1].capitalize()})", present[1])
    if len(temperatures) >= FEWEST_PLACES and len(compositions) <= MOST_CURVES:
        return Axis("temperature, K")
    return None
