"""The plots of a chain, with matplotlib and our own statistics."""

import io
import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from espei_hpc.report.samples import FloatArray, Samples
from espei_hpc.report.statistics import Statistics
from espei_hpc.report.symbols import SymbolDescription
from espei_hpc.rundir.timeline import Timeline
from espei_hpc.sampler import statistics as chain_statistics

INCHES = 8.5
"""Width of a plot."""
RESOLUTION = 110
MOST_LINES = 200
"""Maximum number of walkers drawn; of more, every n-th is drawn."""
MOST_POINTS = 2000
"""Maximum number of iterations drawn per walker: a screen shows no more."""
COLUMNS = 3
ROW_INCHES = 2.0
SMALL = 8
LONGEST_TITLE = 44
"""Maximum length of a title, with three plots per row."""
WINDOWS = 150
"""Number of time windows over which the number of busy workers is averaged."""
LEFT_OUT = "0.93"
"""Grey background of the discarded iterations."""
STYLE = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.titlesize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
    "grid.alpha": 0.3,
    "lines.linewidth": 0.6,
}


def style() -> AbstractContextManager[None]:
    """Return a context that sets the style in which plots are drawn and saved."""
    return mpl.rc_context(STYLE)


def png(figure: Figure, resolution: int = RESOLUTION) -> bytes:
    """Return a plot as the content of a PNG file, with so many dots an inch."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=resolution)
    return file.getvalue()


def shortened(text: str, longest: int) -> str:
    """Truncate a text to ``longest`` characters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def traces(samples: Samples, described: Mapping[str, SymbolDescription]) -> Figure:
    """Draw the trace of each symbol: every walker against the iterations."""

    def draw(axes: Axes, index: int) -> None:
        _walkers(axes, samples, samples.positions[:, :, index])
        name = samples.symbols[index]
        axes.set_title(name, loc="left")
        if name in described:
            short = shortened(described[name].short, LONGEST_TITLE)
            axes.set_title(f"{name}\n{short}", loc="left", fontsize=SMALL)
            axes.set_ylabel(described[name].unit, fontsize=SMALL)

    return _grid(len(samples.symbols), draw, "iteration")


def log_probabilities(samples: Samples) -> Figure:
    """Draw the log-probability of every walker, for all iterations and for those that count."""
    figure, (whole, kept) = _figure(2.8, 1, 2)
    _walkers(whole, samples, samples.log_probabilities)
    whole.set(title="all iterations", xlabel="iteration", ylabel="log-probability")
    _walkers(kept, samples, samples.log_probabilities)
    later = samples.log_probabilities[:, samples.kept]
    finite = later[np.isfinite(later)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (-1.0, 0.0)
    margin = 0.05 * (high - low) or 1.0
    kept.set(
        title=f"without the {samples.part.discarded}",
        xlabel="iteration",
        xlim=(samples.iterations - later.shape[1], samples.iterations),
        ylim=(low - margin, high + margin),
    )
    return figure


def acceptance(statistics: Statistics) -> Figure:
    """Draw the acceptance of each walker."""
    figure, axes = _figure(2.4)
    axes.bar(np.arange(1, statistics.walkers + 1), statistics.acceptance, width=0.8)
    mean = float(np.mean(statistics.acceptance))
    axes.axhline(mean, color="black", linewidth=1)
    axes.set(
        xlabel="walker",
        ylabel="accepted",
        title=f"mean {mean:.2f}",
        xlim=(0.3, statistics.walkers + 0.7),
        ylim=(0, None),
    )
    return figure


def autocorrelations(
    samples: Samples, statistics: Statistics, described: Mapping[str, SymbolDescription]
) -> Figure:
    """Draw the ensemble's autocorrelation of each symbol against the lag."""
    figure, axes = _figure(2.8)
    slowest = statistics.slowest
    longest = statistics.iterations
    shown = min(longest, max(10, math.ceil(8 * slowest.autocorrelation) if slowest else longest))
    for index, parameter in enumerate(statistics.parameters):
        if not parameter.moves:
            continue
        slow = parameter is slowest
        values = chain_statistics.autocorrelation(samples.used[:, :, index])[:shown]
        axes.plot(
            values,
            color="C3" if slow else "C0",
            alpha=1.0 if slow else 0.4,
            linewidth=1.6 if slow else 0.8,
            label=_slowest(parameter.name, described) if slow else None,
        )
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(xlabel="lag, iterations", ylabel="autocorrelation", xlim=(0, max(1, shown - 1)))
    if slowest:
        axes.legend(frameon=False)
    return figure


def _slowest(name: str, described: Mapping[str, SymbolDescription]) -> str:
    what = f": {described[name].short}" if name in described else ""
    return f"{name}, the slowest{what}"


def timeline(line: Timeline) -> Figure:
    """Draw when each worker evaluated, and below it the number of busy workers."""
    workers = len(line.workers)
    figure, (rows, count) = _figure(
        min(8.0, 2.2 + 0.12 * workers), 2, 1, sharex=True, gridspec_kw={"height_ratios": [3, 1]}
    )
    for worker in range(workers):
        mine = line.worker == worker
        spans = np.column_stack([line.begin[mine], line.seconds[mine]])
        rows.broken_barh(spans, (worker + 0.6, 0.8), facecolors="C0", linewidth=0)
    rows.set(ylabel="worker", ylim=(0.5, workers + 0.5))
    rows.grid(visible=False)
    edges, busy = line.at_work(WINDOWS)
    count.stairs(busy, edges, linewidth=1)
    count.set(xlabel="time, s", ylabel="busy", ylim=(0, workers * 1.05))
    return figure


def _figure(height: float, *args: int, **options: Any) -> tuple[Figure, Any]:
    figure = Figure(figsize=(INCHES, height), layout="constrained")
    return figure, figure.subplots(*args, **options)


def _grid(number: int, draw: Callable[[Axes, int], None], below: str) -> Figure:
    rows = math.ceil(number / COLUMNS)
    figure, axes = _figure(ROW_INCHES * rows + 0.3, rows, min(COLUMNS, number), sharex=True, squeeze=False)
    for index, one in enumerate(axes.flat):
        if index < number:
            draw(one, index)
        else:
            one.set_visible(False)
        # If the plot below is hidden, this is the last plot of its column.
        if index < number <= index + axes.shape[1]:
            one.set_xlabel(below)
            one.tick_params(labelbottom=True)
    return figure


def _walkers(axes: Axes, samples: Samples, values: FloatArray) -> None:
    iterations = np.arange(1, samples.iterations + 1)
    every = max(1, samples.iterations // MOST_POINTS)
    some = max(1, samples.walkers // MOST_LINES)
    # A line has no point where the log-probability is minus infinity; NaN are left out of every limit.
    median = np.median(values, axis=0)
    median = np.where(np.isfinite(median), median, np.nan)
    values = np.where(np.isfinite(values), values, np.nan)
    axes.axvspan(0, samples.kept.start, color=LEFT_OUT, linewidth=0)
    axes.plot(iterations[::every], values[::some, ::every].T, alpha=max(0.15, min(0.8, 12 / samples.walkers)))
    axes.plot(iterations[::every], median[::every], color="black", linewidth=1.2)
    axes.set_xlim(0, samples.iterations)
