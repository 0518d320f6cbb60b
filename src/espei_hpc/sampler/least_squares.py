"""The maximum of a log-probability that is a sum of squared rows, by damped least squares.

The steps are SciPy's (``least_squares``, a trust region with bounds: Branch, Coleman and Li, SIAM J. Sci.
Comput. 21 (1999) 1). The derivatives are ours: all columns are evaluated side by side, and a row may jump,
because the phases in an equilibrium may change between two points.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from espei_hpc.sampler.determined import determined
from espei_hpc.sampler.state import FloatArray

Evaluate = Callable[[Sequence[FloatArray]], list[FloatArray | None]]
"""Returns the rows at each point, shape (rows,); None where the log-probability is minus infinity."""

STEP = 1e-5
"""First step of a difference, relative to the parameter."""
GROWTH = 1000.0
"""Factor by which a step grows that changes no row."""
LARGEST_STEP = 0.1
QUIET = 1e-6
"""Change of a row, in standard deviations, below which it is rounding of the solver."""
JUMP = 0.1
"""Change of a row, in standard deviations, above which a step of ``STEP`` seems to have met a jump."""
GAIN = 1e-3
"""Gain in log-probability below which a step does not matter; ``ENOUGH`` of them end the search."""
ENOUGH = 2
MOST_STEPS = 200
NEAR = 0.01
"""Distance from a bound, relative to the parameter, within which the bound ends a search."""


class NoStart(ValueError):
    """The log-probability of the starting point is minus infinity."""


@dataclass(frozen=True)
class Optimum:
    """A maximum.

    Attributes:
        parameters: where it is, shape (parameters,).
        rows: the rows there, shape (rows,).
        jacobian: their derivatives by the parameters, shape (rows, parameters).
        converged: whether it was reached, rather than the largest number of steps.
        promised: gain of the log-probability that the derivatives promise for another step. It is next to 0
            at a smooth maximum, and larger at an edge: where a row jumps if the search goes on.
    """

    parameters: FloatArray
    rows: FloatArray
    jacobian: FloatArray
    converged: bool
    promised: float


def maximum(
    start: FloatArray, lower: FloatArray, upper: FloatArray, evaluate: Evaluate, steps: int = MOST_STEPS
) -> Optimum:
    """Find a maximum of the log-probability, the nearest in the direction of ascent.

    Args:
        start: where to begin, shape (parameters,).
        lower: smallest values allowed, shape (parameters,); may be infinite.
        upper: largest values allowed, shape (parameters,); may be infinite.
        evaluate: evaluates points, side by side where it can.
        steps: the largest number of steps.

    Raises:
        NoStart: if the log-probability of the start is minus infinity.
    """
    inside = _inside(start, lower, upper)
    (first,) = evaluate([inside])
    if first is None:
        raise NoStart
    derivatives = Derivatives(np.where(inside == 0, 1.0, np.abs(inside)), lower, upper, evaluate)

    def rows(point: FloatArray) -> FloatArray:
        (found,) = evaluate([point])
        # SciPy shortens a step whose end is not finite.
        return np.full(first.shape, np.nan) if found is None or found.shape != first.shape else found

    found = least_squares(
        rows,
        inside,
        jac=lambda point: derivatives.at(point, rows(point)),
        bounds=(lower, upper),
        x_scale="jac",
        max_nfev=steps,
        callback=_Gains(),
    )
    # SciPy's derivatives may be those of the step before.
    jacobian = derivatives.at(found.x, found.fun)
    free = ~_against_a_bound(found.x, found.fun @ jacobian, lower, upper)
    promised = _promised(found.fun, jacobian[:, free])
    return Optimum(found.x, found.fun, jacobian, found.status != 0, promised)


def _promised(rows: FloatArray, jacobian: FloatArray) -> float:
    """Return by how much half the sum of squares falls with the step that solves the straightened rows."""
    slope = rows @ jacobian
    return float(0.5 * slope @ determined(jacobian).covariance @ slope) if slope.size else 0.0


def _against_a_bound(
    point: FloatArray, slope: FloatArray, lower: FloatArray, upper: FloatArray
) -> npt.NDArray[np.bool_]:
    """Return which parameters a bound keeps from going on, shape (parameters,)."""
    near = NEAR * np.maximum(np.abs(point), 1.0)
    found: npt.NDArray[np.bool_] = np.where(slope > 0, point - lower < near, upper - point < near)
    return found


class _Gains:
    """Ends the search after steps that gain next to nothing."""

    def __init__(self) -> None:
        self._cost = np.inf
        self._small = 0

    def __call__(self, intermediate_result: Any) -> None:
        gain, self._cost = self._cost - intermediate_result.cost, intermediate_result.cost
        self._small = self._small + 1 if gain < GAIN else 0
        if self._small == ENOUGH:
            raise StopIteration


def _inside(start: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Return the start, moved off the bounds, where SciPy cannot begin."""
    with np.errstate(invalid="ignore"):
        width = np.where(np.isfinite(upper - lower), upper - lower, np.maximum(np.abs(start), 1.0))
    inside: FloatArray = np.clip(start, lower + STEP * width, upper - STEP * width)
    return inside


@dataclass
class Derivatives:
    """Derivatives of the rows by differences, evaluated side by side.

    Attributes:
        scale: size of each parameter, to which its step is relative, shape (parameters,).
        lower: smallest values allowed, shape (parameters,).
        upper: largest values allowed, shape (parameters,).
        evaluate: evaluates points.
    """

    scale: FloatArray
    lower: FloatArray
    upper: FloatArray
    evaluate: Evaluate

    def __post_init__(self) -> None:
        self._relative = np.full(self.scale.shape, STEP)

    def at(self, point: FloatArray, rows: FloatArray) -> FloatArray:
        """Return the derivatives at a point, shape (rows, parameters); 0 where nothing changes a row.

        Args:
            point: shape (parameters,).
            rows: the rows there, shape (rows,).
        """
        jacobian = np.zeros((rows.size, point.size))
        waiting = list(range(point.size))
        while waiting:
            changes = self._changes(point, rows, waiting, backwards=False)
            doubtful = [column for column in waiting if _is_doubtful(changes[column])]
            other = self._changes(point, rows, doubtful, backwards=True) if doubtful else {}
            quiet = []
            for column in waiting:
                slope = _slope(changes[column], other.get(column))
                step = self._step(point, column, backwards=False)
                if slope is None:
                    continue
                if np.abs(slope).max() >= QUIET:
                    jacobian[:, column] = slope / abs(step)
                elif self._relative[column] * GROWTH <= LARGEST_STEP:
                    self._relative[column] *= GROWTH
                    quiet.append(column)
            waiting = quiet
        return jacobian

    def _step(self, point: FloatArray, column: int, *, backwards: bool) -> float:
        step = float(self._relative[column] * max(abs(point[column]), self.scale[column]))
        return -step if backwards else step

    def _changes(
        self, point: FloatArray, rows: FloatArray, columns: Sequence[int], *, backwards: bool
    ) -> dict[int, FloatArray | None]:
        """Return how the rows change with each parameter, per step forwards; None where that is unknown."""
        moved: dict[int, FloatArray] = {}
        for column in columns:
            there = point.copy()
            there[column] += self._step(point, column, backwards=backwards)
            if self.lower[column] <= there[column] <= self.upper[column]:
                moved[column] = there
        answers = dict(zip(moved, self.evaluate(list(moved.values())), strict=True))
        sign = -1.0 if backwards else 1.0
        return {
            column: sign * (answer - rows)
            if (answer := answers.get(column)) is not None and answer.shape == rows.shape
            else None
            for column in columns
        }


def _is_doubtful(change: FloatArray | None) -> bool:
    return change is None or bool(np.abs(change).max() > JUMP)


def _slope(forwards: FloatArray | None, backwards: FloatArray | None) -> FloatArray | None:
    """Return the change of the rows per step; of two, that of the side on which a row does not jump."""
    if forwards is None or backwards is None:
        return backwards if forwards is None else forwards
    return np.where(np.abs(forwards) <= np.abs(backwards), forwards, backwards)
