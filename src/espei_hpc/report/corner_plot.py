"""The corner plot: distributions of symbols and of pairs of symbols."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from scipy.stats import norm

from espei_hpc.report.samples import FloatArray, Samples
from espei_hpc.report.symbols import SymbolDescription

LONGEST_LABEL = 28
"""Maximum length of a label, characters."""
LABEL_INCHES = 1.1
"""Space for numbers and labels to the left of and below the plot."""
LABEL_PAD = 0.08
"""Distance between numbers and label, relative to the height of a single plot."""
DEVIATIONS = (1.0, 2.0)
"""Standard deviations at which ellipses of the Gaussian are drawn, as the contours of the samples are."""
BINS = 20


def corner(samples: Samples, symbols: Sequence[str], described: Mapping[str, SymbolDescription]) -> Figure:
    """Draw the distributions of some symbols and of each pair of them.

    If the chain was begun around the best fit, the Gaussian there is drawn as dashed lines.
    """
    from corner import corner as draw

    chosen = [samples.symbols.index(symbol) for symbol in symbols]
    values = samples.used[:, :, chosen].reshape(-1, len(chosen))
    # corner draws no fewer samples than symbols.
    values = np.tile(values, (-(-len(chosen) // len(values)), 1))
    side = max(4.0, min(12.0, 1.9 * len(chosen)))
    with mpl.rc_context({"font.size": 8, "axes.grid": False}):
        figure: Figure = draw(
            values,
            fig=Figure(figsize=(side, side)),
            labels=[_label(symbol, described) for symbol in symbols],
            labelpad=LABEL_PAD,
            range=[_range(values[:, index]) for index in range(len(chosen))],
            bins=BINS,
            quantiles=[0.05, 0.5, 0.95],
            # corner cannot draw it for a single symbol.
            truths=samples.best[chosen] if len(chosen) > 1 else None,
            truth_color="C3",
            plot_datapoints=len(values) < 20_000,
        )
        figure.subplots_adjust(left=LABEL_INCHES / side, bottom=LABEL_INCHES / side)
    if len(chosen) == 1:
        figure.axes[0].axvline(samples.best[chosen[0]], color="C3")
    if around := samples.around:
        covariance = (around.root @ around.root.T)[np.ix_(chosen, chosen)]
        _draw_gaussian(figure, around.mode[chosen], covariance, len(values))
    return figure


def _draw_gaussian(figure: Figure, mode: FloatArray, covariance: FloatArray, number: int) -> None:
    """Draw densities above the histograms of so many samples, and ellipses over the pairs.

    Args:
        figure: the corner plot.
        mode: (symbols,)
        covariance: (symbols, symbols)
        number: number of samples.
    """
    look: dict[str, Any] = {"color": "C1", "linestyle": "--", "linewidth": 1.2}
    size = len(mode)
    angles = np.linspace(0, 2 * np.pi, 100)
    circle = np.stack((np.cos(angles), np.sin(angles)))
    for row in range(size):
        for column in range(row + 1):
            axes = figure.axes[row * size + column]
            (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
            if row == column:
                x = np.linspace(left, right, 200)
                density = norm.pdf(x, mode[row], np.sqrt(covariance[row, row]))
                axes.plot(x, number * (right - left) / BINS * density, **look)
            else:
                pair = [column, row]
                root = np.linalg.cholesky(covariance[np.ix_(pair, pair)])
                for deviations in DEVIATIONS:
                    x, y = mode[pair][:, np.newaxis] + deviations * root @ circle
                    axes.plot(x, y, **look)
                axes.set_ylim(bottom, top)
            axes.set_xlim(left, right)


def _label(name: str, described: Mapping[str, SymbolDescription]) -> str:
    if name not in described:
        return name
    unit = f", {described[name].unit}" if described[name].unit else ""
    short = described[name].short
    return f"{name}{unit}\n{short}" if len(short) <= LONGEST_LABEL else f"{name}{unit}"


def _range(values: FloatArray) -> tuple[float, float]:
    """Return the range of a symbol, which must not be empty even if the symbol never moved."""
    low, high = float(values.min()), float(values.max())
    if low < high:
        return low, high
    margin = abs(low) * 0.01 or 1.0
    return low - margin, high + margin
