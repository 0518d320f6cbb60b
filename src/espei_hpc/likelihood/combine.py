"""Combines the results of all units to one log-probability, with ESPEI's arithmetic in ESPEI's order."""

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
    """Return the value that ``EmceeOptimizer.predict`` would return, bit for bit.

    Args:
        description: the evaluators' description.
        parts: results for one parameter set that together have all units, in any order.

    Returns:
        the log-probability, prior plus likelihood; -inf and NaN as in ESPEI.

    Raises:
        LikelihoodError: the first exception that ESPEI would raise.
        ValueError: a required unit is missing from the parts.
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
        # ESPEI formats each likelihood like this for its log, and fails if that fails.
        format(likelihood, "0.3f")
    except Exception as error:
        raise LikelihoodError(residual.name, Failure.of(error)) from error
    return likelihood


# The functions below repeat the last lines of the ESPEI functions named in them. They take all values
# at once, as ESPEI does: the rounding of numpy's sum depends on the number of values. They return the
# same types as ESPEI: if a user's residual returns a narrower type, the digits of the sum depend on it.


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
