"""Every name of ESPEI, emcee and pycalphad that the fit leans on without a promise.

Nothing else in this package touches one. The tests of this module name each of
them, and fail naming the one that an upstream release has changed. With releases
other than those in ``KNOWN`` the likelihood is not taken apart (``known``): a
residual is then evaluated whole, by its documented ``get_likelihood``.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
from espei import espei_script
from espei.error_functions.activity_error import ActivityResidual, calculate_activity_residuals
from espei.error_functions.context import setup_context
from espei.error_functions.equilibrium_thermochemical_error import (
    EquilibriumPropertyResidual,
    calc_prop_differences,
)
from espei.error_functions.non_equilibrium_thermochemical_error import (
    FixedConfigurationPropertyResidual,
    calculate_non_equilibrium_thermochemical_probability,
)
from espei.error_functions.residual_base import residual_function_registry
from espei.error_functions.zpf_error import ZPFResidual, calculate_zpf_driving_forces
from espei.optimizers.opt_mcmc import EmceeOptimizer
from espei.paramselect import generate_parameters
from espei.utils import (
    PickleableTinyDB,
    database_symbols_to_fit,
    import_qualified_object,
    unpack_piecewise,
)
from espei.validation import schema

__all__ = [
    "KNOWN",
    "ActivityResidual",
    "EmceeOptimizer",
    "EquilibriumPropertyResidual",
    "FixedConfigurationPropertyResidual",
    "PickleableTinyDB",
    "ZPFResidual",
    "activity_datasets",
    "activity_differences",
    "database_symbols_to_fit",
    "driving_forces",
    "fixed_configuration_probability",
    "fixed_configurations",
    "generate_parameters",
    "import_qualified_object",
    "known",
    "normalized",
    "optimizer",
    "phase_regions",
    "property_datasets",
    "property_differences",
    "register",
    "registered",
    "setup_context",
    "store_chain",
    "unpack_piecewise",
    "versions",
]

FloatArray = npt.NDArray[np.float64]
Numbers = tuple[tuple[float, ...], tuple[float, ...]]
"""Differences between calculated and measured, and the weight of each as ESPEI has it."""

KNOWN = {"espei": "0.9.1", "emcee": "2.2.1", "pycalphad": "0.11.2"}
"""The releases whose residuals were read and found to be sums over independent units."""


def versions() -> dict[str, str]:
    """Return the installed releases of the packages in ``KNOWN``."""
    return {package: version(package) for package in KNOWN}


def known() -> bool:
    """Whether the installed releases are those whose residuals may be taken apart."""
    return versions() == KNOWN


def registered() -> list[str]:
    """Return the residuals that ESPEI evaluates, a user's included, by dotted name and in its order."""
    classes = residual_function_registry.get_registered_residual_functions()
    return [f"{residual.__module__}.{residual.__qualname__}" for residual in classes]


def register(residuals: Sequence[str]) -> None:
    """Import residuals by dotted name and have ESPEI evaluate them; those it has stay as they are."""
    for name in residuals:
        residual_function_registry.register(import_qualified_object(name))


def normalized(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return ESPEI's input with all defaults, as ``get_run_settings`` does."""
    return dict(schema.normalized(dict(settings)))


@contextmanager
def optimizer(replacement: type[Any]) -> Iterator[None]:
    """Have ``run_espei`` use another class, derived from ``EmceeOptimizer``, meanwhile."""
    original = espei_script.EmceeOptimizer
    espei_script.EmceeOptimizer = replacement
    try:
        yield
    finally:
        espei_script.EmceeOptimizer = original


def store_chain(sampler: Any, chain: FloatArray, log_probabilities: FloatArray) -> None:
    """Put a chain into emcee's sampler, where ``_fit`` looks for the best parameters.

    Args:
        sampler: emcee's ``EnsembleSampler``.
        chain: shape (walkers, iterations, parameters).
        log_probabilities: shape (walkers, iterations).
    """
    sampler._chain = chain
    sampler._lnprob = log_probabilities


@dataclass(frozen=True)
class Region:
    """One phase region of the phase boundary data, and where it comes from."""

    data: dict[str, Any]
    reference: str


def phase_regions(residual: Any) -> list[Region]:
    """Return the phase regions of a ``ZPFResidual`` in the order in which ESPEI evaluates them."""
    return [
        Region({**data, "phase_regions": [region]}, str(data["dataset_reference"]))
        for data in residual.zpf_data
        for region in data["phase_regions"]
    ]


def driving_forces(region: Region, parameters: FloatArray) -> Numbers:
    """Return driving forces (J/mol) and weights of a region; infinite ones if it is short-circuited."""
    forces, weights = calculate_zpf_driving_forces([region.data], parameters, short_circuit=True)
    return _floats(np.concatenate(forces)), _floats(np.concatenate(weights))


class _Chosen:
    """Stands for a collection of datasets: answers every search alike, and keeps what was asked for."""

    def __init__(self, datasets: Sequence[Mapping[str, Any]] = ()) -> None:
        self._datasets = list(datasets)
        self.query: Any = None

    def search(self, query: Any) -> list[Mapping[str, Any]]:
        self.query = query
        return self._datasets


def activity_datasets(residual: Any) -> list[Mapping[str, Any]]:
    """Return the datasets that an ``ActivityResidual`` evaluates, chosen by ESPEI's own query."""
    settings = residual._activity_likelihood_kwargs
    nothing = _Chosen()
    calculate_activity_residuals(parameters={}, **{**settings, "datasets": nothing})
    return list(settings["datasets"].search(nothing.query))


def activity_differences(residual: Any, dataset: Mapping[str, Any], parameters: FloatArray) -> Numbers:
    """Return differences of chemical potential (J/mol) and standard deviations of one dataset's points."""
    settings = {**residual._activity_likelihood_kwargs, "datasets": _Chosen([dataset])}
    values = dict(zip(residual._symbols_to_fit, parameters.tolist(), strict=True))
    differences, deviations = calculate_activity_residuals(parameters=values, **settings)
    return _floats(differences), _floats(deviations)


def fixed_configurations(residual: Any) -> list[dict[str, Any]]:
    """Return the entries of a ``FixedConfigurationPropertyResidual``: a property of a phase each."""
    return list(residual.thermochemical_data)


def fixed_configuration_probability(residual: Any, entry: dict[str, Any], parameters: FloatArray) -> float:
    """Return the log-probability of one entry."""
    values = dict(zip(residual._symbols_to_fit, parameters.tolist(), strict=True))
    return float(calculate_non_equilibrium_thermochemical_probability([entry], residual.dbf, values))


def property_datasets(residual: Any) -> list[Any]:
    """Return the datasets of an ``EquilibriumPropertyResidual`` in ESPEI's order."""
    return list(residual.property_data)


def property_differences(dataset: Any, parameters: FloatArray) -> Numbers:
    """Return differences of a property and their standard deviations, in the property's unit."""
    differences, deviations = calc_prop_differences(dataset, parameters)
    return _floats(differences), _floats(deviations)


def _floats(values: Any) -> tuple[float, ...]:
    """Return plain floats: many times smaller to pickle than numpy's, and the same bits."""
    return tuple(np.asarray(values, dtype=np.float64).tolist())
