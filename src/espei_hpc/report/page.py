"""The page: one self-contained HTML file without scripts or network access."""

import base64
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from espei_hpc.inputs.fingerprint import PACKAGES
from espei_hpc.report.bands import InvariantRow
from espei_hpc.report.properties import PropertyRow
from espei_hpc.report.samples import Samples
from espei_hpc.report.statistics import Statistics
from espei_hpc.report.symbols import SymbolDescription
from espei_hpc.report.verdict import ENOUGH_SAMPLES, Verdict
from espei_hpc.sampler.moves import STRETCH
from espei_hpc.text import counted, templates

NONE = "-"
SMALLEST = 0.001
"""Smaller differences are shown as less than this."""
LONG = 1e7
"""Numbers from here on are shown with an exponent."""


@dataclass(frozen=True)
class PlotImage:
    """A plot.

    Attributes:
        name: its file name, without ending.
        title: its title.
        png: content of the PNG file.
    """

    name: str
    title: str
    png: bytes

    @property
    def source(self) -> str:
        """The plot as a data URL."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode()}"


@dataclass(frozen=True)
class PagePart:
    """A part of the page that is calculated in a separate process, and may fail.

    Attributes:
        images: its plots.
        missing: why plots are missing; empty if none is.
        rows: differences between calculated and measured data.
        invariants: temperatures of invariant reactions.
        notes: sentences about individual data.
    """

    images: Sequence[PlotImage] = ()
    missing: str = ""
    rows: Sequence[PropertyRow] = ()
    invariants: Sequence[InvariantRow] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Parts:
    """The parts calculated in separate processes."""

    diagram: PagePart
    bands: PagePart
    data: PagePart


def render(
    samples: Samples,
    statistics: Statistics,
    verdict: Verdict,
    images: Sequence[PlotImage],
    symbols: Mapping[str, SymbolDescription],
    parts: Parts,
) -> str:
    """Return the page.

    Args:
        samples: the chain.
        statistics: its statistics.
        verdict: its verdict.
        images: its plots, in order.
        symbols: description of each symbol, if known.
        parts: phase diagrams and data.
    """
    environment = templates("espei_hpc.report", html=True)
    environment.filters["number"] = number
    environment.filters["difference"] = difference
    return environment.get_template("report.html").render(
        samples=samples,
        statistics=statistics,
        verdict=verdict,
        images=images,
        symbols=symbols,
        diagram=parts.diagram,
        bands=parts.bands,
        data=parts.data,
        acceptance=float(np.mean(statistics.acceptance)),
        ensemble=ensemble(samples),
        versions={
            package: samples.record.fingerprint.get(f"version of {package}", "") for package in PACKAGES
        }
        | {"espei-hpc": samples.record.version, "arviz (this report)": version("arviz")},
        fingerprint=dict(samples.record.fingerprint),
        made=time.strftime("%Y-%m-%d %H:%M %Z"),
        enough_samples=ENOUGH_SAMPLES,
    )


def ensemble(samples: Samples) -> str:
    """Return what was sampled by how many walkers, and by which move if it is not ESPEI's."""
    sampler = "" if samples.record.sampler == STRETCH else f", sampler {samples.record.sampler}"
    return f"{counted(samples.walkers, 'walker')} in {len(samples.symbols)} dimensions{sampler}"


def number(value: float, digits: int = 4) -> str:
    """Format a number for a table, without an exponent if it is short; NaN and infinity are a dash."""
    if not np.isfinite(value):
        return NONE
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:.0f}" if 10 ** (digits - 1) <= abs(rounded) < LONG else f"{rounded:.{digits}g}"


def difference(value: float) -> str:
    """Format a root mean square difference for a table."""
    return f"< {SMALLEST}" if value < SMALLEST else number(value, 3)
