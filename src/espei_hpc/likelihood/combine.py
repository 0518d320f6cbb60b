"""One log-probability from the results of all units, by ESPEI's own arithmetic in ESPEI's own order."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from scipy.stats import norm

from espei_hpc.likelihood.results import (
    Description,
    Evaluated,
    Failure,
    Kind,
    LikelihoodError,
    Residual,
    UnitResult,
)


def combine(description: Description, parts: Iterable[Evaluated]) -> float:
    """Return what ``EmceeOptimizer.predict`` would have returned, bit for bit.

    Args:
        description: the evaluators' description.
        parts: results for one set of parameters that hold all units between them, in any order.

    Returns:
        the log-probability: prior plus likelihood; -inf and NaN where ESPEI has them.

    Raises:
        LikelihoodError: the first exception that ESPEI would have met.
        ValueError: a unit that is needed is in none of the parts.
    """
    results: dict[int, UnitResult] = {}
    prior = None
    for part in parts:
        prior = part.prior
        results |= part.results
    if prior is None:
        raise ValueError("nothing was evaluated")
    if np.isneginf(prior):
        return np.float64(prior)
    likelihood: Any = 0.0
    for residual in description.residuals:
        values, weights = _collect(description, residual, results)
        likelihood = likelihood + _likelihood(residual, values, weights)
    return np.float64(prior + np.array(likelihood, dtype=np.float64))


def _collect(
    description: Description, residual: Residual, results: Mapping[int, UnitResult]
) -> tuple[list[Any] | None, list[float]]:
    """Return values and weights of all units of a residual; no values if it was short-circuited."""
    values: list[Any] = []
    weights: list[float] = []
    for number in residual.units:
        result = results.get(number)
        if result is None:
            raise ValueError(f"unit {number} ({description.units[number]}) was not evaluated")
        if result.failure is not None:
            raise LikelihoodError(description.units[number], result.failure)
        if result.short_circuited:
            return None, []
        values += result.values
        weights += result.weights
    return values, weights


def _likelihood(residual: Residual, values: list[Any] | None, weights: list[float]) -> Any:
    if values is None:
        return -np.inf
    try:
        likelihood = _LIKELIHOODS[residual.kind](values, weights, residual.weight)
        # ESPEI writes each likelihood into its log so, and fails where that does.
        format(likelihood, "0.3f")
    except Exception as error:
        raise LikelihoodError(residual.name, Failure.of(error)) from error
    return likelihood


# Below, the last lines of ESPEI's functions, named with each. They take all values at once, as
# there: how numpy adds numbers up depends on how many it is given. They return the types that
# ESPEI's do: with a user's residual that returns a narrower number, the sum's digits depend on them.


def _whole(values: list[Any], weights: list[float], data_weight: float) -> Any:
    return values[0]


def _boundaries(values: list[float], weights: list[float], data_weight: float) -> Any:
    """``calculate_zpf_error``."""
    forces = np.array(values)
    if np.any(np.logical_or(np.isinf(forces), np.isnan(forces))):
        return -np.inf
    return np.sum(norm.logpdf(forces, loc=0, scale=1000 / data_weight / np.array(weights)))


def _activity(values: list[float], weights: list[float], data_weight: float) -> Any:
    """``calculate_activity_error``."""
    likelihood = np.sum(norm.logpdf(values, 0, weights))
    return -np.inf if np.isnan(likelihood) else likelihood


def _configurations(values: list[float], weights: list[float], data_weight: float) -> Any:
    """``calculate_non_equilibrium_thermochemical_probability``."""
    likelihood = np.float64(0.0)
    for value in values:  # not sum(): it corrects for rounding since Python 3.12
        likelihood += value
    return likelihood


def _properties(values: list[float], weights: list[float], data_weight: float) -> Any:
    """``calculate_equilibrium_thermochemical_probability``."""
    return np.sum(norm.logpdf(np.array(values), 0.0, np.array(weights)))


_LIKELIHOODS: dict[Kind, Callable[[list[Any], list[float], float], Any]] = {
    Kind.WHOLE: _whole,
    Kind.BOUNDARIES: _boundaries,
    Kind.ACTIVITY: _activity,
    Kind.CONFIGURATIONS: _configurations,
    Kind.PROPERTIES: _properties,
}
