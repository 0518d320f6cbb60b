"""The phase diagram of a binary system with its data, before and after a fit, from pycalphad and ESPEI."""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from espei_hpc.report import plots
from espei_hpc.report.child import Send, Unavailable
from espei_hpc.report.samples import Samples

MARGIN = 150.0
"""K below and above the temperatures of the data."""
POINTS = 50
"""Steps of the composition, and maximum steps of the temperature."""
PRESSURE = 101325.0
RESOLUTION = 130


@dataclass(frozen=True)
class Binary:
    """The input of a phase diagram.

    Attributes:
        database: file of the database before the fit.
        components: all components, including vacancies.
        phases: the phases of the fit.
        datasets: directory of the data.
        best: the best value of each symbol in the chain.
    """

    database: Path
    components: tuple[str, ...]
    phases: tuple[str, ...]
    datasets: Path
    best: Mapping[str, float]

    @property
    def second(self) -> str:
        """The element whose mole fraction is the abscissa."""
        return _elements(self.components)[1]


def binary(samples: Samples) -> Binary:
    """Return the input of the phase diagram of a fit.

    Raises:
        Unavailable: if the system is not binary, or a file is missing.
    """
    settings = samples.settings
    database = (settings.get("mcmc") or {}).get("input_db")
    if samples.run.input_file is None:
        raise Unavailable("the input is no longer next to the run directory")
    if database is None:
        raise Unavailable("this fit generated its database, so there is no earlier one to compare with")
    system = settings["system"]
    try:
        models = json.loads(samples.file(system["phase_models"]).read_text())
        made = Binary(
            database=samples.file(database),
            components=tuple(sorted(models["components"])),
            phases=tuple(sorted(models["phases"])),
            datasets=samples.file(system["datasets"]),
            best=dict(zip(samples.symbols, map(float, samples.best), strict=True)),
        )
    except (OSError, ValueError, KeyError) as error:
        raise Unavailable(f"cannot read a file of the input ({error})") from error
    if len(_elements(made.components)) != 2:
        raise Unavailable("the system is not binary")
    return made


def _elements(components: Sequence[str]) -> list[str]:
    return [component for component in components if component != "VA"]


def draw(binary: Binary, send: Send) -> None:
    """Draw both diagrams side by side.

    Args:
        binary: the input of the diagrams.
        send: called with the plot, the content of a PNG file.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from pycalphad import Database

    database = Database(str(binary.database))
    measured = data(binary)
    kept = conditions(binary, measured)
    with mpl.rc_context({"font.size": 9}):
        figure = Figure(figsize=(10, 4.6), layout="constrained")
        before, after = figure.subplots(1, 2, sharex=True, sharey=True)
        _draw_one(before, binary, database, kept, measured, legend=False)
        before.set_title("before the fit")
        for symbol, value in binary.best.items():
            database.symbols[symbol] = value
        _draw_one(after, binary, database, kept, measured, legend=True)
        after.set_title("with the best parameters of the chain")
        after.set_ylabel("")
        for axes in (before, after):
            axes.set_xlabel(f"x({binary.second.capitalize()})")
        picture = plots.png(figure, RESOLUTION)
    send(picture)


def _draw_one(
    axes: Any, binary: Binary, database: Any, conditions: dict[Any, Any], data: Any, *, legend: bool
) -> None:
    from espei.plot import dataplot
    from pycalphad import binplot

    with warnings.catch_warnings():
        # pycalphad warns about every point where the first attempt at an equilibrium failed.
        warnings.simplefilter("ignore")
        binplot(
            database,
            list(binary.components),
            list(binary.phases),
            conditions,
            plot_kwargs={"ax": axes, "tieline_color": (0.7, 0.85, 0.7, 0.4)},
        )
        dataplot(list(binary.components), list(binary.phases), conditions, data, ax=axes)
    if legend:
        legend_beside(axes)
    elif shown := axes.get_legend():
        shown.remove()


def legend_beside(axes: Any) -> None:
    """Move the legend of a plot, if it has one, to its right."""
    if shown := axes.get_legend():
        shown.set_loc("upper left")
        shown.set_bbox_to_anchor((1, 1))


def data(binary: Binary) -> Any:
    """Return the datasets of a system, as ESPEI loads them."""
    from espei.datasets import load_datasets

    from espei_hpc.inputs.dataset_files import dataset_files

    return load_datasets(dataset_files(binary.datasets))


def conditions(binary: Binary, data: Any) -> dict[Any, Any]:
    """Return the conditions of a diagram: all compositions, and the temperatures of the data.

    Raises:
        Unavailable: if the data have no phase boundary.
    """
    from pycalphad import variables as v
    from tinydb import where

    found = data.search(where("output") == "ZPF")
    kelvin = [float(t) for one in found for t in np.atleast_1d(one["conditions"]["T"])]
    if not kelvin:
        raise Unavailable("the datasets have no phase boundaries")
    low, high = max(1.0, min(kelvin) - MARGIN), max(kelvin) + MARGIN
    step = max(1.0, round((high - low) / POINTS))
    return {v.T: (low, high, step), v.X(binary.second): (0, 1, 1 / POINTS), v.P: PRESSURE, v.N: 1}
