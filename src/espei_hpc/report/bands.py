"""How far phase boundaries and invariant temperatures are uncertain: phase diagrams of samples of a chain."""

import time
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from espei_hpc.report import diagram, plots
from espei_hpc.report.child import SECONDS, Send
from espei_hpc.report.samples import FloatArray, Samples
from espei_hpc.report.statistics import INTERVAL

NUMBER = 20
"""Default number of samples; fewer effective samples do not show how far a boundary is uncertain."""
SAME = 2.0
"""K between two temperatures of one invariant reaction, which is found from either of its sides."""
CALCULATING = 0.8 * SECONDS
"""Seconds after which no further diagram is begun, so that there is time to draw."""


@dataclass(frozen=True)
class Inputs:
    """The input of the diagrams.

    Attributes:
        binary: the system.
        samples: the values of the symbols of each diagram.
    """

    binary: diagram.Binary
    samples: Sequence[Mapping[str, float]]


class BoundaryLine(NamedTuple):
    """A phase boundary: mole fractions of the second element and temperatures (K), shape (points,) each."""

    phase: str
    fractions: FloatArray
    temperatures: FloatArray


class Invariant(NamedTuple):
    """An invariant reaction: its phases, their mole fractions of the second element, and temperature, K."""

    phases: tuple[str, ...]
    fractions: tuple[float, ...]
    temperature: float


@dataclass(frozen=True)
class Mapped:
    """A phase diagram."""

    boundaries: Sequence[BoundaryLine]
    invariants: Sequence[Invariant]


@dataclass(frozen=True)
class InvariantRow:
    """The temperature of an invariant reaction over the samples.

    Attributes:
        phases: the phases that are in equilibrium.
        low: 5th percentile, K.
        median: 50th percentile, K.
        high: 95th percentile, K.
        best: with the best parameters of the chain, K; NaN if they do not have it.
        number: number of samples that have this reaction.
    """

    phases: tuple[str, ...]
    low: float
    median: float
    high: float
    best: float
    number: int


@dataclass(frozen=True)
class Bands:
    """The diagrams, drawn.

    Attributes:
        png: the plot, content of a PNG file.
        rows: the invariant reactions, by temperature.
        number: number of samples.
    """

    png: bytes
    rows: Sequence[InvariantRow]
    number: int


def inputs(samples: Samples, number: int) -> Inputs:
    """Return the input of the diagrams of so many samples, which are chosen always alike.

    Raises:
        Unavailable: if the system is not binary, or a file is missing.
    """
    binary = diagram.binary(samples)
    flat = samples.used.reshape(-1, len(samples.symbols))
    chosen = np.random.default_rng(0).choice(len(flat), min(number, len(flat)), replace=False)
    return Inputs(
        binary, [dict(zip(samples.symbols, map(float, values), strict=True)) for values in flat[chosen]]
    )


def draw(inputs: Inputs, send: Send) -> None:
    """Calculate and draw the diagrams; send them, as :class:`Bands`.

    Args:
        inputs: their input.
        send: called with the result.
    """
    from pycalphad import Database

    until = time.monotonic() + CALCULATING
    binary = inputs.binary
    database = Database(str(binary.database))
    data = diagram.data(binary)
    conditions = diagram.conditions(binary, data)
    best = _mapped(database, binary, conditions, binary.best)
    mapped: list[Mapped] = []
    for values in inputs.samples:
        if time.monotonic() > until:
            break
        mapped.append(_mapped(database, binary, conditions, values))
    send(Bands(_drawn(binary, conditions, best, mapped, data), rows(best, mapped), len(mapped)))


def _mapped(
    database: Any, binary: diagram.Binary, conditions: Mapping[Any, Any], values: Mapping[str, float]
) -> Mapped:
    from pycalphad import variables as v
    from pycalphad.mapping import BinaryStrategy

    database.symbols.update(values)
    fraction = v.X(binary.second)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        strategy = BinaryStrategy(database, list(binary.components), list(binary.phases), dict(conditions))
        strategy.do_map()
        regions = strategy.get_tieline_data(fraction, v.T)
        points = strategy.get_invariant_data(fraction, v.T)
    return Mapped(
        [
            BoundaryLine(one.phase, np.asarray(one.x), np.asarray(one.y))
            for region in regions
            for one in region.data
        ],
        _different(points),
    )


def _different(points: Iterable[Any]) -> list[Invariant]:
    """Return each invariant reaction once."""
    found: list[Invariant] = []
    for point in points:
        order = np.argsort(point.phases, kind="stable")
        one = Invariant(
            tuple(point.phases[number] for number in order),
            tuple(float(point.x[number]) for number in order),
            float(np.mean(point.y)),
        )
        if not any(
            other.phases == one.phases and abs(other.temperature - one.temperature) <= SAME for other in found
        ):
            found.append(one)
    return sorted(found, key=lambda one: one.temperature)


def rows(best: Mapped, mapped: Sequence[Mapped]) -> list[InvariantRow]:
    """Return the temperatures of each invariant reaction over the samples, the highest first.

    If the same phases have several reactions, they are told apart by the order of their temperatures.

    Args:
        best: the diagram of the best parameters.
        mapped: those of the samples.
    """
    temperatures: dict[tuple[tuple[str, ...], int], list[float]] = defaultdict(list)
    for one in mapped:
        for key, temperature in _numbered(one).items():
            temperatures[key].append(temperature)
    known = _numbered(best)
    made = []
    for key, values in temperatures.items():
        low, median, high = np.percentile(values, INTERVAL)
        best_one = known.get(key, float("nan"))
        made.append(InvariantRow(key[0], float(low), float(median), float(high), best_one, len(values)))
    return sorted(made, key=lambda row: -row.median)


def _numbered(mapped: Mapped) -> dict[tuple[tuple[str, ...], int], float]:
    found: dict[tuple[tuple[str, ...], int], float] = {}
    for one in mapped.invariants:
        number = sum(1 for phases, _ in found if phases == one.phases)
        found[one.phases, number] = one.temperature
    return found


def _drawn(
    binary: diagram.Binary, conditions: Mapping[Any, Any], best: Mapped, mapped: Sequence[Mapped], data: Any
) -> bytes:
    import matplotlib as mpl
    from espei.plot import dataplot
    from matplotlib.figure import Figure
    from pycalphad import variables as v
    from pycalphad.plot.utils import phase_legend

    colors = phase_legend(sorted(binary.phases))[1]
    with mpl.rc_context({"font.size": 9}), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = figure.subplots()
        for one in mapped:
            for line in one.boundaries:
                axes.plot(
                    line.fractions, line.temperatures, color=colors[line.phase], alpha=0.3, linewidth=1.2
                )
            for point in one.invariants:
                ends = (min(point.fractions), max(point.fractions))
                axes.plot(ends, (point.temperature,) * 2, color="0.5", alpha=0.3, linewidth=1.2)
        for line in best.boundaries:
            axes.plot(line.fractions, line.temperatures, color="black", linewidth=0.6)
        dataplot(list(binary.components), list(binary.phases), dict(conditions), data, ax=axes)
        diagram.legend_beside(axes)
        low, high, _ = conditions[v.T]
        axes.set(
            xlim=(0, 1), ylim=(low, high), xlabel=f"x({binary.second.capitalize()})", ylabel="temperature, K"
        )
        return plots.png(figure, diagram.RESOLUTION)
