"""The log-probability as a sum of squares: a constant minus half the sum of the squared rows.

Each datum is a row: its difference from the calculation in standard deviations, with ESPEI's weights. A prior
that is not constant is a row too. That is what least squares needs.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from espei_hpc.likelihood.combine import combine
from espei_hpc.likelihood.results import Description, Evaluated, Kind, LikelihoodError, Residual, UnitResult

FloatArray = npt.NDArray[np.float64]

PRIOR = -1
"""The unit of a row that is a prior."""


class Rows(NamedTuple):
    """One evaluation.

    Attributes:
        log_probability: as ESPEI's.
        values: the rows, dimensionless, shape (rows,).
        units: number of the unit of each row, or ``PRIOR``, shape (rows,).
    """

    log_probability: float
    values: FloatArray
    units: npt.NDArray[np.int64]

    @property
    def constant(self) -> float:
        """What the log-probability is where all rows are 0; the same for all parameters."""
        return self.log_probability + 0.5 * float(self.values @ self.values)


class PriorBounds(NamedTuple):
    """Between what values the priors allow the parameters, shape (parameters,) each."""

    lower: FloatArray
    upper: FloatArray


def rows(
    description: Description, priors: Sequence[Any], parameters: FloatArray, part: Evaluated
) -> Rows | None:
    """Return the rows of an evaluation; None if it failed or its log-probability is not finite.

    Args:
        description: the evaluators' description.
        priors: ESPEI's distributions, one for each parameter.
        parameters: where it was evaluated, shape (parameters,).
        part: the results of all units.
    """
    try:
        log_probability = float(combine(description, [part]))
    except LikelihoodError:
        return None
    if not math.isfinite(log_probability):
        return None
    values = [
        row for prior, value in zip(priors, parameters, strict=False) for row in _prior_row(prior, value)
    ]
    units = [PRIOR] * len(values)
    for residual in description.residuals:
        for number in residual.units:
            found = _in_deviations(residual, part.results[number])
            values += found
            units += [number] * len(found)
    return Rows(log_probability, np.array(values, dtype=np.float64), np.array(units, dtype=np.int64))


def without_rows(description: Description, part: Evaluated) -> list[str]:
    """Return the names of residuals with data that give a log-likelihood only, no differences."""
    return [
        residual.name
        for residual in description.residuals
        if residual.kind is Kind.WHOLE and any(part.results[unit].values != (0.0,) for unit in residual.units)
    ]


def bounds(priors: Sequence[Any], parameters: int) -> PriorBounds:
    """Return between what values the priors allow the parameters.

    Args:
        priors: ESPEI's distributions.
        parameters: number of the parameters; those without a prior have no bounds.
    """
    pairs = [_support(prior) for prior in priors[:parameters]]
    pairs += [(-math.inf, math.inf)] * (parameters - len(pairs))
    lower, upper = np.array(pairs, dtype=np.float64).T
    return PriorBounds(lower, upper)


def _in_deviations(residual: Residual, result: UnitResult) -> list[float]:
    """Return the rows of a unit: the arguments of ESPEI's normal distributions, in standard deviations."""
    if residual.kind is Kind.CONFIGURATIONS:
        return list(result.deviations)
    if residual.kind is Kind.WHOLE:
        return []
    values, weights = np.array(result.values, dtype=np.float64), np.array(result.weights, dtype=np.float64)
    in_deviations = values * weights * residual.weight / 1000 if residual.kind.weighted else values / weights
    row: list[float] = np.ravel(in_deviations).tolist()
    return row


def _distribution(prior: Any) -> str:
    """Return SciPy's name of a prior's distribution; empty for ESPEI's constant, which is none of SciPy's."""
    return str(getattr(getattr(prior, "dist", None), "name", ""))


def _support(prior: Any) -> tuple[float, float]:
    return prior.support() if _distribution(prior) else (-math.inf, math.inf)


def _prior_row(prior: Any, value: float) -> Iterable[float]:
    name = _distribution(prior)
    if name == "norm":
        yield float((value - prior.mean()) / prior.std())
    elif name == "triang":
        lower, upper = prior.support()
        most_likely = 3 * prior.mean() - lower - upper
        below = prior.logpdf(most_likely) - prior.logpdf(value)
        yield math.copysign(math.sqrt(2 * max(0.0, float(below))), value - most_likely)
