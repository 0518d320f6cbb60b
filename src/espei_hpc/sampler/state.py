"""Input and output of the sampler."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
RandomState = tuple[str, NDArray[np.uint32], int, int, float]
"""The state of a :class:`numpy.random.RandomState`, as its ``get_state()`` returns it."""


class NotANumber(ValueError):
    """A log-probability or parameter with which sampling cannot continue; the message is emcee's own.

    Attributes:
        parameters: the point where it happened, (parameters,).
    """

    def __init__(self, message: str, parameters: FloatArray) -> None:
        super().__init__(message)
        self.parameters = parameters


def check_finite(points: FloatArray) -> None:
    """Refuse what emcee refuses to evaluate.

    Args:
        points: (points, parameters).

    Raises:
        NotANumber: a parameter is infinite or NaN.
    """
    if np.isfinite(points).all():
        return
    for bad, word in ((np.isinf(points), "infinite"), (np.isnan(points), "NaN")):
        if bad.any():
            raise NotANumber(f"At least one parameter value was {word}.", points[bad.any(axis=1)][0])


class Task(NamedTuple):
    """One evaluation of the log-probability; orders by half-step.

    Attributes:
        half_step: 0 and 1 are the starting log-probabilities of the first and the
            second half; 2, 3, ... move the half ``half_step % 2``, in the iteration
            ``(half_step - 2) // 2`` counted from the graph's start.
        walker: number within its half.
    """

    half_step: int
    walker: int


@dataclass(frozen=True)
class State:
    """The ensemble at the end of an iteration: everything that the rest of the chain depends on.

    Attributes:
        iteration: number of finished iterations, 0 at the start.
        positions: (walkers, parameters).
        log_probabilities: (walkers,); None if not evaluated yet.
        accepted: (walkers,), accepted proposals so far (emcee's ``naccepted``).
        random: the random numbers' state before the draws of the next half-step.

    Raises:
        ValueError: the shapes are inconsistent, or the number of walkers is odd.
    """

    iteration: int
    positions: FloatArray
    log_probabilities: FloatArray | None
    accepted: NDArray[np.int64]
    random: RandomState

    def __post_init__(self) -> None:
        if self.positions.ndim != 2:
            raise ValueError(f"positions must be (walkers, parameters), not {self.positions.shape}")
        walkers = len(self.positions)
        if walkers < 2 or walkers % 2:
            raise ValueError(f"the number of walkers must be even and not 0; it is {walkers}")
        for name, values in (("log_probabilities", self.log_probabilities), ("accepted", self.accepted)):
            if values is not None and values.shape != (walkers,):
                raise ValueError(f"{name} must be one number for each of {walkers} walkers")


@dataclass(frozen=True)
class Block:
    """Consecutive finished iterations, in order.

    Attributes:
        first: number of the first of them, counted from 0 over the whole chain.
        positions: (walkers, n, parameters), emcee's ``chain[:, first:first + n]``.
        log_probabilities: (walkers, n), emcee's ``lnprobability[:, first:first + n]``.
        state: the ensemble at the end of the last of them.
    """

    first: int
    positions: FloatArray
    log_probabilities: FloatArray
    state: State
