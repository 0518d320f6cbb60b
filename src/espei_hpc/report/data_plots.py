"""Plots of measured and calculated thermochemical data, before and after a fit.

Data of a binary system are plotted against the composition, data at few compositions against the
temperature; all others are plotted as calculated against measured values.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from espei_hpc.report import plots
from espei_hpc.report.data_axes import DIGITS, Axis, chosen
from espei_hpc.report.measured import Compared
from espei_hpc.report.properties import PropertyFamily, known

ROW_INCHES = 2.7
LEGEND_COLUMNS = 3
LONGEST_REFERENCE = 38
MOST_PHASES = 3
"""Maximum number of phases named in a title; otherwise their number is shown."""
MARKERS = "osD^vP*"
COLORS = 10
BEFORE: dict[str, Any] = {
    "color": "0.55",
    "linestyle": "--",
    "marker": "d",
    "fillstyle": "none",
    "markersize": 4,
}
AFTER: dict[str, Any] = {"color": "black", "linestyle": "-", "marker": "x", "markersize": 4}
TICKS = 5
SMALL_ACTIVITY = 0.02


Styles = Mapping[str, dict[str, Any]]
"""Marker and colour of each reference."""


def styles(compared: Iterable[Compared]) -> dict[str, dict[str, Any]]:
    """Return a marker and a colour for each reference, the same in all plots."""
    references = sorted({one.point.reference for one in compared})
    return {
        reference: {"color": f"C{index % COLORS}", "marker": MARKERS[index % len(MARKERS)]}
        for index, reference in enumerate(references)
    }


def figure(family: PropertyFamily, compared: Sequence[Compared], look: Styles) -> Figure:
    """Draw all properties of a family: a plot for each phase whose data have an axis, and one for all others.

    Args:
        family: the family.
        compared: the values of all its properties.
        look: marker and colour of each reference.
    """
    panels: list[tuple[list[Compared], Axis | None]] = []
    for _, group in groupby(sorted(compared, key=_order), key=lambda one: _order(one)[:2]):
        others: list[Compared] = []
        for _, some in groupby(group, key=lambda one: one.phase):
            of_phase = list(some)
            axis = chosen(of_phase)
            if axis is None:
                others += of_phase
            else:
                panels.append((of_phase, axis))
        if others:
            panels.append((others, None))
    drawn = Figure(figsize=(plots.INCHES, 1), layout="constrained")
    rows = _draw(drawn, family, panels, look)
    legend = _legend(drawn, compared, look, lines=any(axis for _, axis in panels))
    drawn.set_size_inches(plots.INCHES, rows * ROW_INCHES + 0.25 * legend + 0.2)
    return drawn


def _draw(
    drawn: Figure, family: PropertyFamily, panels: Sequence[tuple[list[Compared], Axis | None]], look: Styles
) -> int:
    """Draw two plots per row; return the number of rows."""
    # Calculated against measured needs two plots: before and after.
    alone = [(compared, axis) for compared, axis in panels if axis]
    pairs = [compared for compared, axis in panels if not axis]
    rows = math.ceil(len(alone) / 2) + len(pairs)
    grid = drawn.add_gridspec(rows, 2)
    for index, (compared, axis) in enumerate(alone):
        axes = drawn.add_subplot(grid[0, :] if len(alone) == 1 else grid[index // 2, index % 2])
        _against(axes, compared, axis, look)
        axes.set_ylabel(_quantity(family, compared))
    for index, compared in enumerate(pairs, start=math.ceil(len(alone) / 2)):
        before = drawn.add_subplot(grid[index, 0])
        after = drawn.add_subplot(grid[index, 1], sharex=before, sharey=before)
        _parity(before, after, compared, look)
        for axes in (before, after):
            axes.set_xlabel(f"measured, {_quantity(family, compared)}")
        before.set_ylabel(f"calculated, {_quantity(family, compared)}")
    return rows


def _order(one: Compared) -> tuple[str, tuple[str, ...], str]:
    return one.output, one.excluded, one.phase


def _quantity(family: PropertyFamily, compared: Sequence[Compared]) -> str:
    what = known(compared[0].output)
    return what.unit or (
        what.name.split(" (")[0] if family is PropertyFamily.ACTIVITY else compared[0].output
    )


def _against(axes: Axes, compared: Sequence[Compared], axis: Axis, look: Styles) -> None:
    for _, group in groupby(
        sorted(compared, key=lambda one: (*axis.curve(one), axis.place(one))), axis.curve
    ):
        curve = list(group)
        places = [axis.place(one) for one in curve]
        for style, values in ((BEFORE, [one.before for one in curve]), (AFTER, [one.after for one in curve])):
            line = style if _is_curve(places, values) else style | {"linestyle": "none"}
            axes.plot(places, values, linewidth=1, zorder=2.5, **line)
    for one in compared:
        _mark(axes, axis.place(one), one.point.value, look[one.point.reference])
    where = _temperatures(compared) if axis.of_element else ""
    axes.set_title(f"{_name(compared)}{where}", loc="left")
    axes.set_xlabel(axis.label)
    if axis.of_element:
        axes.set_xlim(-0.02, 1.02)


def _is_curve(places: Sequence[float], values: Sequence[float]) -> bool:
    """Whether there is one value at each place; several configurations may share a place."""
    at: dict[float, float] = {}
    return all(
        math.isclose(at.setdefault(round(place, DIGITS), value), value, rel_tol=1e-6, abs_tol=1e-9)
        for place, value in zip(places, values, strict=True)
    )


def _parity(before: Axes, after: Axes, compared: Sequence[Compared], look: Styles) -> None:
    for one in compared:
        _mark(before, one.point.value, one.before, look[one.point.reference])
        _mark(after, one.point.value, one.after, look[one.point.reference])
    numbers = np.array([number for one in compared for number in (one.point.value, one.before, one.after)])
    numbers = numbers[np.isfinite(numbers)]
    margin = max(0.06 * float(np.ptp(numbers)), _scale(compared))
    limits = (float(numbers.min()) - margin, float(numbers.max()) + margin)
    for axes, when in ((before, "before the fit"), (after, "best of the chain")):
        axes.plot(limits, limits, color="0.55", linewidth=0.8, zorder=1.5)
        axes.set(xlim=limits, ylim=limits)
        axes.locator_params(nbins=TICKS)
        axes.set_title(f"{_name(compared)}: {when}", loc="left")


def _scale(compared: Sequence[Compared]) -> float:
    """Return a small difference, used as the minimum margin of a plot so as not to magnify noise."""
    if known(compared[0].output).family is PropertyFamily.ACTIVITY:
        return SMALL_ACTIVITY
    deviations = [one.deviation for one in compared if math.isfinite(one.deviation)]
    return float(np.median(deviations)) if deviations else 1.0


def _mark(axes: Axes, x: float, y: float, style: Mapping[str, Any]) -> None:
    axes.plot([x], [y], **_marker(style))


def _marker(style: Mapping[str, Any]) -> dict[str, Any]:
    look = {"linestyle": "none", "markersize": 7, "markeredgecolor": "white", "markeredgewidth": 0.4}
    return look | {"alpha": 0.9, "zorder": 2.0} | dict(style)


def _name(compared: Sequence[Compared]) -> str:
    first = compared[0]
    phases = sorted({one.phase for one in compared})
    named = ", ".join(phases) if len(phases) <= MOST_PHASES else f"{len(phases)} phases"
    without = f" without {', '.join(first.excluded)}" if first.excluded else ""
    return f"{first.output}{without} of {named}"


def _temperatures(compared: Sequence[Compared]) -> str:
    kelvin = [one.point.temperature for one in compared]
    low, high = min(kelvin), max(kelvin)
    return f", {low:g} K" if low == high else f", {low:g} to {high:g} K"


def _legend(drawn: Figure, compared: Sequence[Compared], look: Styles, *, lines: bool) -> int:
    """Add a legend below all plots; return its number of rows."""
    handles = [
        Line2D([], [], label=_label(reference), **_marker(look[reference]))
        for reference in sorted({one.point.reference for one in compared})
    ]
    if lines:
        handles.append(Line2D([], [], linewidth=1, label="before the fit", **BEFORE))
        handles.append(Line2D([], [], linewidth=1, label="best of the chain", **AFTER))
    drawn.legend(handles=handles, loc="outside lower left", ncols=LEGEND_COLUMNS, frameon=False)
    return math.ceil(len(handles) / LEGEND_COLUMNS)


def _label(reference: str) -> str:
    label = plots.shortened(reference or "no reference", LONGEST_REFERENCE)
    # A dollar sign would start a formula.
    return label.replace("$", r"\$")
