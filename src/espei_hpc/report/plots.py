"""The plots of a chain, by matplotlib, corner and our own statistics."""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from espei_hpc import chain_statistics
from espei_hpc.report.samples import FloatArray, Samples
from espei_hpc.report.statistics import Statistics
from espei_hpc.report.timeline import Timeline

INCHES = 8.5
"""Width of a plot."""
MOST_LINES = 200
"""Walkers that are drawn one by one; of more, some."""
MOST_POINTS = 2000
"""Iterations that are drawn of each walker: a screen has no more."""
COLUMNS = 3
ROW_INCHES = 1.9
WINDOWS = 150
"""Of the number of workers at work, over which it is averaged: it changes with every evaluation."""
LEFT_OUT = "0.93"
"""Grey behind the iterations that do not count."""
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
    """Return a context in which plots are made and saved as they are meant to look."""
    return mpl.rc_context(STYLE)


def traces(samples: Samples) -> Figure:
    """Draw every symbol of every walker against the iterations."""

    def draw(axes: Axes, index: int) -> None:
        _walkers(axes, samples, samples.positions[:, :, index])
        axes.set_title(samples.symbols[index])

    return _grid(len(samples.symbols), draw, "iteration")


def log_probabilities(samples: Samples) -> Figure:
    """Draw the log-probability of every walker, and in the second half at full height."""
    figure, (whole, kept) = _figure(2.8, 1, 2)
    _walkers(whole, samples, samples.log_probabilities)
    whole.set(title="all iterations", xlabel="iteration", ylabel="log-probability")
    _walkers(kept, samples, samples.log_probabilities)
    later = samples.log_probabilities[:, samples.kept]
    margin = 0.05 * float(np.ptp(later)) or 1.0
    kept.set(
        title="the iterations that count",
        xlabel="iteration",
        xlim=(samples.iterations - later.shape[1], samples.iterations),
        ylim=(later.min() - margin, later.max() + margin),
    )
    return figure


def acceptance(statistics: Statistics) -> Figure:
    """Draw which fraction of each walker's proposals was accepted."""
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


def autocorrelations(samples: Samples, statistics: Statistics) -> Figure:
    """Draw the ensemble's autocorrelation of each symbol against the lag."""
    figure, axes = _figure(2.8)
    slowest = statistics.slowest
    longest = samples.iterations - samples.iterations // 2
    shown = min(longest, max(10, math.ceil(8 * slowest.autocorrelation) if slowest else longest))
    for index, parameter in enumerate(statistics.parameters):
        if not parameter.moves:
            continue
        slow = parameter is slowest
        values = chain_statistics.autocorrelation(samples.positions[:, samples.kept, index])[:shown]
        axes.plot(
            values,
            color="C3" if slow else "C0",
            alpha=1.0 if slow else 0.4,
            linewidth=1.6 if slow else 0.8,
            label=f"{parameter.name}, the slowest" if slow else None,
        )
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(xlabel="lag, iterations", ylabel="autocorrelation", xlim=(0, max(1, shown - 1)))
    if slowest:
        axes.legend(frameon=False)
    return figure


def corner(samples: Samples, symbols: Sequence[str]) -> Figure:
    """Draw the distributions of chosen symbols and of each pair of them."""
    from corner import corner as draw

    chosen = [samples.symbols.index(symbol) for symbol in symbols]
    values = samples.positions[:, samples.kept][:, :, chosen].reshape(-1, len(chosen))
    side = max(4.0, min(12.0, 1.9 * len(chosen)))
    with mpl.rc_context({"font.size": 8, "axes.grid": False}):
        figure: Figure = draw(
            values,
            fig=Figure(figsize=(side, side)),
            labels=list(symbols),
            range=[_range(values[:, index]) for index in range(len(chosen))],
            quantiles=[0.05, 0.5, 0.95],
            # Of one symbol corner cannot draw it.
            truths=samples.best[chosen] if len(chosen) > 1 else None,
            truth_color="C3",
            plot_datapoints=len(values) < 20_000,
        )
    if len(chosen) == 1:
        figure.axes[0].axvline(samples.best[chosen[0]], color="C3")
    return figure


def timeline(line: Timeline) -> Figure:
    """Draw when which worker evaluated, and below how many were at work."""
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
    count.set(xlabel="time, s", ylabel="at work", ylim=(0, workers * 1.05))
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
        # With a hidden plot below, the one above is the last of its column.
        if index < number <= index + axes.shape[1]:
            one.set_xlabel(below)
            one.tick_params(labelbottom=True)
    return figure


def _walkers(axes: Axes, samples: Samples, values: FloatArray) -> None:
    iterations = np.arange(1, samples.iterations + 1)
    every = max(1, samples.iterations // MOST_POINTS)
    some = max(1, samples.walkers // MOST_LINES)
    axes.axvspan(0, samples.iterations // 2, color=LEFT_OUT, linewidth=0)
    axes.plot(iterations[::every], values[::some, ::every].T, alpha=max(0.15, min(0.8, 12 / samples.walkers)))
    axes.plot(iterations[::every], np.median(values, axis=0)[::every], color="black", linewidth=1.2)
    axes.set_xlim(0, samples.iterations)


def _range(values: FloatArray) -> tuple[float, float]:
    """Return the range of a symbol; one that never moved gets some, which corner refuses to choose."""
    low, high = float(values.min()), float(values.max())
    if low < high:
        return low, high
    margin = abs(low) * 0.01 or 1.0
    return low - margin, high + margin
