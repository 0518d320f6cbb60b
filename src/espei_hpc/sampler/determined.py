"""What data determine about parameters: the Gaussian around the maximum of a sum of squared rows.

With the derivatives J of the rows, the covariance of the parameters is the inverse of JᵀJ (the Laplace
approximation: D. S. Sivia, Data Analysis, section 3.2). A direction that changes no row is not determined.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from espei_hpc.sampler.state import FloatArray

TOLERANCE = 1e-4
"""Singular value, relative to the largest, below which a direction is not determined.

Derivatives by differences have errors of about 1e-5.
"""
SMALL = 0.05
"""Share in a direction, relative to the largest, below which a parameter does not belong to it."""

ALIKE = 0.01
"""Relative difference from 1 up to which a factor is not written."""


@dataclass(frozen=True)
class Direction:
    """A combination of parameters that the data do not determine.

    Attributes:
        members: numbers of the parameters.
        change: how much each changes along it, the first by 1.
    """

    members: tuple[int, ...]
    change: tuple[float, ...]

    def in_words(self, symbols: Sequence[str]) -> str:
        """Return which combination is not determined.

        Args:
            symbols: names of all parameters.
        """
        names, change = [symbols[number] for number in self.members], self.change
        if len(names) == 1:
            return f"{names[0]}: no datum depends on it"
        if len(names) > 2:
            together = ", ".join(f"{name} by {step:.3g}" for name, step in zip(names, change, strict=True))
            return f"{', '.join(names)} only together: a change of {together} changes no datum"
        factor = change[1]
        if math.isclose(factor, -1, rel_tol=ALIKE):
            return f"{names[0]} and {names[1]} only as their sum"
        if math.isclose(factor, 1, rel_tol=ALIKE):
            return f"{names[0]} and {names[1]} only as their difference"
        sign = "-" if factor > 0 else "+"
        return f"{names[0]} and {names[1]} only as {names[1]} {sign} {abs(factor):.3g} {names[0]}"


@dataclass(frozen=True)
class Determined:
    """What the data determine.

    Attributes:
        covariance: of the parameters, shape (parameters, parameters), without the undetermined directions.
        root: lower triangular, root rootᵀ = covariance, shape (parameters, parameters); fewer columns if
            directions are not determined.
        errors: standard error of each parameter, shape (parameters,); infinite if it is not determined.
        undetermined: the directions that change no row.
        leverage: of each row, from 0 to 1, shape (rows,): how much of its own value the fit reproduces
            because of that datum. Their sum is the number of determined directions.
        shares: share of each row in the variance of each parameter, shape (rows, parameters): how much the
            datum decides it. Each column adds up to 1, or to 0 if nothing is known of the parameter.
    """

    covariance: FloatArray
    root: FloatArray
    errors: FloatArray
    undetermined: tuple[Direction, ...]
    leverage: FloatArray
    shares: FloatArray


def correlation(covariance: FloatArray) -> FloatArray:
    """Return the correlation of parameters, shape (parameters, parameters); 0 where there is no variance."""
    deviations = np.sqrt(np.diag(covariance))
    size = np.where(deviations > 0, deviations, 1.0)
    correlated: FloatArray = covariance / np.outer(size, size)
    return correlated


def determined(jacobian: FloatArray) -> Determined:
    """Return what rows with these derivatives determine.

    Args:
        jacobian: shape (rows, parameters), the rows in standard deviations.
    """
    length = np.linalg.norm(jacobian, axis=0)
    scale = np.where(length > 0, length, 1.0)
    rows, parameters = jacobian.shape
    # Directions without a singular value, which only fewer rows than parameters leave, are wanted too.
    left, singular, right = np.linalg.svd(jacobian / scale, full_matrices=rows < parameters)
    padded = np.zeros(parameters)
    padded[: singular.size] = singular
    kept = padded > TOLERANCE * max(padded.max(initial=0.0), np.finfo(float).tiny)
    inverse = right[kept] / padded[kept, np.newaxis]
    covariance = (inverse.T @ inverse) / np.outer(scale, scale)
    directions = tuple(_direction(row, scale) for row in _reduced(right[~kept]))
    variance = np.diag(covariance)
    # By how much each parameter changes with each datum, all of which have the variance 1.
    influence = jacobian @ covariance
    errors = np.sqrt(variance)
    for direction in directions:
        errors[list(direction.members)] = np.inf
    # The inverse is never squared, so nearly undetermined directions keep their digits.
    root = np.linalg.qr(inverse / scale).R.T
    return Determined(
        covariance,
        root * np.where(np.diag(root) < 0, -1.0, 1.0),
        errors,
        directions,
        (left[:, : kept.sum()] ** 2).sum(axis=1),
        influence**2 / np.where(variance > 0, variance, 1.0),
    )


def _direction(change: FloatArray, scale: FloatArray) -> Direction:
    """Return the direction of a vector in units of ``1 / scale``."""
    members = np.flatnonzero(np.abs(change) > SMALL * np.abs(change).max())
    steps = change[members] / scale[members]
    return Direction(tuple(map(int, members)), tuple((steps / steps[0]).tolist()))


def _reduced(space: FloatArray) -> FloatArray:
    """Return a basis of the same space with the zeros that elimination gives, (vectors, parameters)."""
    space = space.copy()
    for row in range(len(space)):
        pivot = int(np.argmax(np.abs(space[row])))
        space[row] /= space[row, pivot]
        for other in range(len(space)):
            if other != row:
                space[other] -= space[other, pivot] * space[row]
    return space
