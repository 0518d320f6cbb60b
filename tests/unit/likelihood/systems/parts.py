"""What stock ESPEI has made of a system: its residuals, regions, models and equilibria."""

from typing import Any

import numpy as np
from espei.shadow_functions import update_phase_record_parameters
from pycalphad import Workspace

from espei_hpc.likelihood.upstream import espei as upstream
from unit.likelihood.likelihood_cases import FloatArray, Stock


def residual(reference: Stock, kind: type) -> Any:
    return next(found for found in reference.context["residual_objs"] if type(found) is kind)


def regions(reference: Stock) -> list[Any]:
    data = residual(reference, upstream.ZPFResidual).zpf_data
    return [region for dataset in data for region in dataset["phase_regions"]]


def vertices(reference: Stock) -> list[Any]:
    return [vertex for region in regions(reference) for vertex in region.vertices]


def models(reference: Stock) -> dict[str, Any]:
    return {name: model for region in regions(reference) for name, model in region.models.items()}


def found(reference: Stock, region: Any, conditions: dict[Any, float]) -> list[tuple[str, FloatArray]]:
    """Return phases and their site fractions as stock ESPEI finds them at the start."""
    records = region.vertices[0].phase_record_factory
    update_phase_record_parameters(records, reference.initial)
    result = Workspace(
        database=residual(reference, upstream.ZPFResidual).zpf_data[0]["dbf"],
        components=region.species,
        phases=region.phases,
        models=region.models,
        phase_record_factory=records,
        conditions=region.potential_conds | conditions,
        parameters=dict(zip(reference.context["symbols_to_fit"], reference.initial, strict=True)),
    ).eq
    pairs = zip(np.atleast_1d(result.Phase.squeeze()), np.atleast_2d(result.Y.squeeze()), strict=True)
    return [(str(name), sites) for name, sites in pairs if name]
