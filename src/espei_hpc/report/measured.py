"""Measured and calculated thermochemical data, before and after a fit, from ESPEI's own residuals."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pycalphad import variables as v

from espei_hpc.likelihood import LikelihoodRecipe, source
from espei_hpc.likelihood.results import Failure
from espei_hpc.likelihood.upstream import espei as upstream
from espei_hpc.report.child import Send, Unavailable
from espei_hpc.report.residuals import SOURCES, Data
from espei_hpc.report.samples import FloatArray, Samples

ACTIVITY = "ACR"
FILES = (("mcmc", "input_db"), ("generate_parameters", "input_db"), ("system", "phase_models"))
"""Settings with the name of a file that is read here."""


@dataclass(frozen=True)
class ComparisonInputs:
    """The input of the comparison.

    Attributes:
        settings: the input, with absolute paths of its files.
        best: the best value of each symbol in the chain.
    """

    settings: Mapping[str, Any]
    best: Mapping[str, float]


@dataclass(frozen=True)
class Compared:
    """A measured value and its calculated values.

    Attributes:
        output: the property, as the dataset names it.
        excluded: model contributions that are excluded from it.
        phase: the phase; for an equilibrium all phases considered.
        point: the measured value and its conditions.
        before: value calculated with the starting database; NaN if that failed.
        after: value calculated with the best parameters of the chain; NaN if that failed.
        difference_before: ESPEI's residual before the fit, calculated minus measured; for an activity that
            of the chemical potential, J/mol.
        difference_after: the same after the fit.
        deviation: ESPEI's standard deviation of the residual, including its weights.
    """

    output: str
    excluded: tuple[str, ...]
    phase: str
    point: upstream.DataPoint
    before: float
    after: float
    difference_before: float
    difference_after: float
    deviation: float


class Batch(NamedTuple):
    """Values that were compared together.

    Attributes:
        compared: the values.
        notes: sentences about problems.
    """

    compared: list[Compared]
    notes: list[str]


def inputs(samples: Samples) -> ComparisonInputs:
    """Return the input of the comparison for a fit.

    Raises:
        Unavailable: if the input file is missing, or this release of ESPEI is not supported.
    """
    if not samples.settings:
        raise Unavailable("the input is no longer next to the run directory")
    if not upstream.known():
        raise Unavailable("the installed release of ESPEI is not supported here")
    settings = {name: dict(section) for name, section in samples.settings.items() if section}
    for section, key in FILES:
        if name := settings.get(section, {}).get(key):
            settings[section][key] = str(samples.file(name).absolute())
    settings["system"]["datasets"] = str(samples.file(settings["system"]["datasets"]).absolute())
    return ComparisonInputs(settings, dict(zip(samples.symbols, map(float, samples.best), strict=True)))


def compare(inputs: ComparisonInputs, send: Send) -> None:
    """Compare all thermochemical data; send them in batches.

    Args:
        inputs: the input of the comparison.
        send: called with each ``Batch``.
    """
    datasets = _datasets(inputs.settings)
    excluded = _exclusions(datasets)
    recipe = LikelihoodRecipe(
        database=source(inputs.settings),
        phase_models=json.loads(Path(inputs.settings["system"]["phase_models"]).read_text()),
        datasets=datasets,
        symbols=list(inputs.best),
        data_weights=upstream.normalized(inputs.settings)["mcmc"]["data_weights"],
        priors=[],
        residuals=[f"{one.__module__}.{one.__qualname__}" for one in SOURCES],
    )
    with upstream.registered_only(list(SOURCES)):
        built = recipe.build()
    before = np.array(built.initial)
    after = np.array([inputs.best[symbol] for symbol in built.symbols])
    for residual in built.residuals:
        for data in SOURCES[type(residual)](residual):
            send(_batch(data, before, after, excluded))


def _datasets(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Load the datasets as ``run_espei`` does."""
    from espei.datasets import apply_tags, load_datasets

    from espei_hpc.inputs.dataset_files import dataset_files

    loaded = load_datasets(dataset_files(settings["system"]["datasets"]))
    apply_tags(loaded, settings["system"].get("tags") or {})
    return [dict(dataset) for dataset in loaded.all() if dataset.get("disabled") is not True]


_Key = tuple[str, str, str]


def _exclusions(datasets: list[dict[str, Any]]) -> dict[_Key, set[tuple[str, ...]]]:
    """Return the excluded model contributions by property, phase and reference."""
    found: dict[_Key, set[tuple[str, ...]]] = {}
    for dataset in datasets:
        key = (dataset["output"], " + ".join(dataset["phases"]), str(dataset.get("reference", "")))
        excluded = tuple(sorted(set(dataset.get("excluded_model_contributions", []))))
        found.setdefault(key, set()).add(excluded)
    return found


def _batch(
    data: Data, before: FloatArray, after: FloatArray, exclusions: Mapping[_Key, set[tuple[str, ...]]]
) -> Batch:
    notes = [data.note] if data.note else []
    nothing = (float("nan"),) * len(data.points)
    deviations: tuple[float, ...] = nothing
    differences: list[tuple[float, ...]] = []
    for when, parameters in (("before", before), ("after", after)):
        found = nothing
        try:
            found, deviations = data.differences(parameters)
        except Exception as error:
            notes.append(f"{data.output} of {data.phase}, {when}: {Failure.of(error).error}")
        differences.append(found)
    compared = []
    for point, first, last, deviation in zip(data.points, *differences, deviations, strict=True):
        excluded = exclusions.get((data.output, data.phase, point.reference), set())
        compared.append(
            Compared(
                output=data.output,
                # If one reference has the property with and without them, it is ambiguous.
                excluded=next(iter(excluded)) if len(excluded) == 1 else (),
                phase=data.phase,
                point=point,
                before=_calculated(data.output, point, first),
                after=_calculated(data.output, point, last),
                difference_before=first,
                difference_after=last,
                deviation=deviation,
            )
        )
    return Batch(compared, notes)


def _calculated(output: str, point: upstream.DataPoint, difference: float) -> float:
    if output.startswith(ACTIVITY):
        return float(point.value * np.exp(difference / (float(v.R) * point.temperature)))
    return point.value + difference
