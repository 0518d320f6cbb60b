"""The axis of a data plot: the composition, the temperature, or the measured values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from espei_hpc.report.measured import Compared

FEWEST_PLACES = 3
"""Minimum number of compositions or temperatures for an axis."""
MOST_CURVES = 8
"""Maximum number of curves (temperatures or compositions) in a plot."""
DIGITS = 6
"""Decimal digits to which equal compositions agree."""


@dataclass(frozen=True)
class Axis:
    """The horizontal axis of a plot.

    Attributes:
        label: its label.
        of_element: the element whose mole fraction it is; empty for the temperature.
    """

    label: str
    of_element: str = ""

    def place(self, one: Compared) -> float:
        """Return the position of a value on the axis."""
        return dict(one.point.fractions)[self.of_element] if self.of_element else one.point.temperature

    def curve(self, one: Compared) -> tuple[Any, ...]:
        """Return the key that all values on a curve share."""
        other = one.point.temperature if self.of_element else _composition(one)
        return other, one.point.configuration


def _composition(one: Compared) -> tuple[float, ...]:
    return tuple(round(fraction, DIGITS) for _, fraction in one.point.fractions)


def chosen(compared: Sequence[Compared]) -> Axis | None:
    """Return the best axis for values of a phase; None to plot calculated against measured values."""
    present = sorted({name for one in compared for name, x in one.point.fractions if round(x, DIGITS) > 0})
    compositions = {_composition(one) for one in compared}
    temperatures = {one.point.temperature for one in compared}
    if len(present) == 2 and len(compositions) >= FEWEST_PLACES and len(temperatures) <= MOST_CURVES:
        # The second element, as in the phase diagram.
        return Axis(f"x({present[1].capitalize()})", present[1])
    if len(temperatures) >= FEWEST_PLACES and len(compositions) <= MOST_CURVES:
        return Axis("temperature, K")
    return None
