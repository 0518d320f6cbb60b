"""Splitting ESPEI's residuals into units that can be evaluated independently, on any worker."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from espei_hpc.likelihood.fast import ActivityPlan, BoundaryPlan, ConfigurationsPlan, PropertiesPlan, Shared
from espei_hpc.likelihood.fast.configurations import in_deviations
from espei_hpc.likelihood.results import Kind, UnitResult
from espei_hpc.likelihood.upstream import espei as upstream

FloatArray = npt.NDArray[np.float64]

POINTS = 2
"""Points of an activity dataset per unit.

Each unit recalculates the reference state. In Cu-Mg that takes 5 ms, a point 25 ms: two points
make a unit of 55 ms, which is about the minimum of a piece of an evaluation, with an overhead
of a tenth.
"""


Evaluate = Callable[[FloatArray], UnitResult]


class Unit(NamedTuple):
    """A unit of a residual.

    Attributes:
        name: its name, for messages.
        evaluate: evaluates it with ESPEI's own functions, for given parameters.
        prepare: builds its plan at some parameters; None if it has no plan.
    """

    name: str
    evaluate: Evaluate
    prepare: Callable[[FloatArray, Shared], Evaluate] | None = None


def split(residual: Any, known: bool) -> tuple[Kind, list[Unit]]:
    """Return the kind of a residual, and its units in ESPEI's order.

    Args:
        residual: one of ESPEI's residual objects.
        known: whether the installed releases are supported.
    """
    # Not isinstance(): a derived class may evaluate differently.
    kind, units = _SPLITS.get(type(residual), (Kind.WHOLE, None)) if known else (Kind.WHOLE, None)
    found = list(units(residual)) if units else []
    if not found:  # no data of this kind: leave its value to ESPEI
        return Kind.WHOLE, [Unit(type(residual).__name__, partial(_whole, residual))]
    return kind, found


def _whole(residual: Any, parameters: FloatArray) -> UnitResult:
    return UnitResult((residual.get_likelihood(parameters),))


def _numbered(name: str, items: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"{name} {number}", item) for number, item in enumerate(items, start=1))


def _boundaries(residual: Any) -> Iterator[Unit]:
    for name, region in _numbered("phase region", upstream.phase_regions(residual)):
        yield Unit(f"{name} ({region.reference})", partial(_region, region), partial(BoundaryPlan, region))


def _region(region: upstream.Region, parameters: FloatArray) -> UnitResult:
    forces, weights = upstream.driving_forces(region, parameters)
    # ESPEI returns as soon as a driving force is infinite, and continues if one is NaN.
    if np.any(np.isinf(forces)):
        return UnitResult(short_circuited=True)
    return UnitResult(forces, weights)


def _activity(residual: Any) -> Iterator[Unit]:
    for name, dataset in _numbered("activity dataset", upstream.activity_datasets(residual)):
        for part_name, part in _numbered(f"{name}, part", parts(dataset)):
            label = f"{part_name} ({dataset['reference']})"
            yield Unit(label, partial(_points, residual, part), partial(ActivityPlan, residual, part))


def _points(residual: Any, dataset: Mapping[str, Any], parameters: FloatArray) -> UnitResult:
    return UnitResult(*upstream.activity_differences(residual, dataset, parameters))


def parts(dataset: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Split an activity dataset into datasets of a few points, in the order of the points.

    ESPEI evaluates the points by pressure, temperature and composition, and the reference state
    last. So does each part. One difference remains: if both the reference state and a point of
    a later part fail, the exception reported is that of the reference state; ESPEI would report
    that of the point.
    """
    values = np.array(dataset["values"])
    conditions = {name: np.atleast_1d(value) for name, value in dataset["conditions"].items()}
    axes = {name: {"P": 0, "T": 1}.get(name, 2) for name in conditions}
    regular = (
        values.ndim == 3
        and axes.keys() > {"P", "T"}
        and all(array.shape == (values.shape[axes[name]],) for name, array in conditions.items())
    )
    if not regular:  # leave it to ESPEI
        return [dataset]
    pressures, temperatures, compositions = values.shape
    starts = range(0, compositions, POINTS)
    blocks = [
        (slice(p, p + 1), slice(t, t + 1), slice(start, start + POINTS))
        for p, t, start in product(range(pressures), range(temperatures), starts)
    ]
    return [
        {
            **dataset,
            "conditions": {name: array[block[axes[name]]].tolist() for name, array in conditions.items()},
            "values": values[block].tolist(),
        }
        for block in blocks
    ]


def _configurations(residual: Any) -> Iterator[Unit]:
    for name, entry in _numbered("fixed configurations", upstream.fixed_configurations(residual)):
        label = f"{name} ({entry['prop']} of {entry['phase_name']})"
        yield Unit(label, partial(_entry, residual, entry), partial(ConfigurationsPlan, residual, entry))


def _entry(residual: Any, entry: dict[str, Any], parameters: FloatArray) -> UnitResult:
    probability, differences = upstream.fixed_configuration(residual, entry, parameters)
    return UnitResult((probability,), deviations=in_deviations(differences, entry["weights"]))


def _properties(residual: Any) -> Iterator[Unit]:
    for name, dataset in _numbered("equilibrium properties", upstream.property_datasets(residual)):
        label = f"{name} ({dataset.output}, {dataset.reference})"
        yield Unit(label, partial(_dataset, dataset), partial(PropertiesPlan, dataset))


def _dataset(dataset: Any, parameters: FloatArray) -> UnitResult:
    differences, deviations = upstream.property_differences(dataset, parameters)
    if not np.all(np.isfinite(differences)):
        return UnitResult(short_circuited=True)
    return UnitResult(differences, deviations)


_SPLITS: dict[type, tuple[Kind, Callable[[Any], Iterator[Unit]]]] = {
    upstream.ZPFResidual: (Kind.BOUNDARIES, _boundaries),
    upstream.ActivityResidual: (Kind.ACTIVITY, _activity),
    upstream.FixedConfigurationPropertyResidual: (Kind.CONFIGURATIONS, _configurations),
    upstream.EquilibriumPropertyResidual: (Kind.PROPERTIES, _properties),
}
