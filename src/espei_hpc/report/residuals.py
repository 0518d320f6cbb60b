"""The individual data of ESPEI's thermochemical residuals, and functions that evaluate them."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from espei_hpc.likelihood.upstream import espei as upstream
from espei_hpc.report.samples import FloatArray


class Data(NamedTuple):
    """Data of one property that ESPEI evaluates together.

    Attributes:
        output: the property, as the dataset names it.
        phase: the phase; for an equilibrium all phases considered.
        points: the measured values.
        differences: returns ESPEI's residual of each value for given parameters, and its standard deviation.
        note: a sentence about how ESPEI evaluates them; empty if none is needed.
    """

    output: str
    phase: str
    points: list[upstream.DataPoint]
    differences: Callable[[FloatArray], upstream.Numbers]
    note: str = ""


def _activities(residual: Any) -> Iterator[Data]:
    for dataset in upstream.activity_datasets(residual):
        yield Data(
            dataset["output"],
            " + ".join(dataset["phases"]),
            _activity_points(dataset),
            partial(upstream.activity_differences, residual, dataset),
        )


def _activity_points(dataset: Mapping[str, Any]) -> list[upstream.DataPoint]:
    """Return the values of an activity dataset, in the order of its format."""
    given = {name[2:]: np.atleast_1d(x) for name, x in dataset["conditions"].items() if name.startswith("X_")}
    elements = sorted(set(dataset["components"]) - {"VA"})
    pressures, temperatures = (np.atleast_1d(dataset["conditions"][name]) for name in ("P", "T"))
    places = itertools.product(pressures, temperatures, range(len(next(iter(given.values())))))
    points = []
    for value, (_, temperature, index) in zip(np.ravel(dataset["values"]), places, strict=True):
        known = {name: float(fractions[index]) for name, fractions in given.items()}
        fractions = tuple((name, known.get(name, 1 - sum(known.values()))) for name in elements)
        points.append(
            upstream.DataPoint(float(value), float(temperature), fractions, str(dataset["reference"]))
        )
    return points


def _configurations(residual: Any) -> Iterator[Data]:
    for entry in upstream.fixed_configurations(residual):
        yield Data(
            entry["prop"],
            entry["phase_name"],
            upstream.fixed_configuration_points(entry),
            partial(upstream.fixed_configuration_differences, residual, entry),
        )


def _properties(residual: Any) -> Iterator[Data]:
    for dataset in upstream.property_datasets(residual):
        phase = " + ".join(dataset.phases)
        note = ""
        if upstream.property_is_crossed(dataset):
            note = (
                f"{dataset.output} of {phase} ({dataset.reference}): with several temperatures and "
                "compositions in one dataset ESPEI subtracts values of different conditions; here each value "
                "is compared at its own conditions. Use one dataset per temperature"
            )
        differences = partial(upstream.property_differences_in_order, dataset)
        yield Data(str(dataset.output), phase, upstream.property_points(dataset), differences, note)


SOURCES: dict[type[Any], Callable[[Any], Iterator[Data]]] = {
    upstream.ActivityResidual: _activities,
    upstream.FixedConfigurationPropertyResidual: _configurations,
    upstream.EquilibriumPropertyResidual: _properties,
}
"""The function that lists the data of each residual."""
