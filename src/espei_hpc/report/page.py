"""The page: one HTML file with everything in it, that needs no network and no script."""

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import jinja2
import numpy as np

from espei_hpc.counted import counted
from espei_hpc.problem.fingerprint import PACKAGES
from espei_hpc.report.samples import Samples
from espei_hpc.report.statistics import Statistics
from espei_hpc.report.verdict import ENOUGH_RHAT, ENOUGH_SAMPLES, TIMES, Verdict

TEMPLATES = Path(__file__).parent / "templates"
NONE = "-"
LONG = 1e7
"""From here on numbers have an exponent."""


@dataclass(frozen=True)
class Image:
    """A plot.

    Attributes:
        name: of its file, without ending.
        title: what it shows.
        png: its content.
    """

    name: str
    title: str
    png: bytes

    @property
    def source(self) -> str:
        """The picture as an address that holds it all."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode()}"


def render(
    samples: Samples,
    statistics: Statistics,
    verdict: Verdict,
    images: Sequence[Image],
    diagram: Image | None,
    no_diagram: str,
) -> str:
    """Return the page.

    Args:
        samples: the chain.
        statistics: of it.
        verdict: on it.
        images: its plots, in their order.
        diagram: the phase diagram; None if there is none.
        no_diagram: why there is none.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, autoescape=True
    )
    environment.filters["number"] = number
    return environment.get_template("report.html").render(
        samples=samples,
        statistics=statistics,
        verdict=verdict,
        images=images,
        diagram=diagram,
        no_diagram=no_diagram,
        acceptance=float(np.mean(statistics.acceptance)),
        ensemble=f"{counted(samples.walkers, 'walker')} in {len(samples.symbols)} dimensions",
        versions={
            package: samples.record.fingerprint.get(f"version of {package}", "") for package in PACKAGES
        }
        | {"espei-hpc": samples.record.version, "arviz (this report)": version("arviz")},
        fingerprint=dict(samples.record.fingerprint),
        made=time.strftime("%Y-%m-%d %H:%M %Z"),
        times=TIMES,
        enough_rhat=ENOUGH_RHAT,
        enough_samples=ENOUGH_SAMPLES,
    )


def _versions(samples: Samples) -> dict[str, str]:
    """Return the releases that the chain was made with; those installed may be others by now."""
    marks = samples.record.fingerprint
    made_with = {package: marks.get(f"version of {package}", "unknown") for package in PACKAGES}
    return made_with | {"espei-hpc": samples.record.version, "arviz (of this report)": version("arviz")}


def number(value: float, digits: int = 4) -> str:
    """Return a number for a table, without exponent where it is short; a dash where there is none."""
    if not np.isfinite(value):
        return NONE
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:.0f}" if 10 ** (digits - 1) <= abs(rounded) < LONG else f"{rounded:.{digits}g}"
