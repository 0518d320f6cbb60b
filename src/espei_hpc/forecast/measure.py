"""The time of one evaluation and of its units, measured in this process."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.likelihood import WARM_UP

FloatArray = npt.NDArray[np.float64]

FEWEST = 3
MOST = 10
"""Number of walkers to measure: the spread between them matters, not only the mean."""

ENOUGH_SECONDS = 30.0
"""After this time no further walker is measured, if there are ``FEWEST``."""


class Timed(Protocol):
    """The interface of an evaluation's result; ``likelihood.Evaluated`` has it."""

    @property
    def seconds(self) -> dict[int, float]:
        """Wall seconds of each evaluated unit, by its number."""

    @property
    def complete(self) -> bool:
        """Whether every unit was evaluated to its end."""


@dataclass(frozen=True)
class Measured:
    """The time of evaluations on this machine.

    Attributes:
        evaluation: mean CPU seconds of one evaluation.
        spread: standard deviation between walkers, relative to the mean.
        units: mean CPU seconds of each unit, by its number.
        walkers: number of starting walkers measured.
        waited: wall seconds per CPU second; far above 1 on a machine with other load.
    """

    evaluation: float
    spread: float
    units: dict[int, float]
    walkers: int
    waited: float


def measure(
    evaluate: Callable[[FloatArray], Timed], initial: FloatArray, starts: FloatArray, most: int = MOST
) -> Measured:
    """Evaluate the initial guess to warm up, then measure a few starting walkers.

    CPU time is measured: a worker has a core of its own, this process perhaps not.

    Args:
        evaluate: evaluates all units.
        initial: the initial guess, shape (parameters,).
        starts: the starting walkers, shape (walkers, parameters).
        most: maximum number of walkers to measure.

    Raises:
        Refusal: if no starting walker could be evaluated completely.
    """
    for _ in range(WARM_UP):
        evaluate(initial)
    totals: list[float] = []
    walls: list[float] = []
    seconds: dict[int, float] = {}
    begin = time.monotonic()
    for start in starts[:most]:
        if len(totals) >= FEWEST and time.monotonic() - begin > ENOUGH_SECONDS:
            break
        cpu = time.process_time()
        result = evaluate(start)
        cpu = time.process_time() - cpu
        evaluated = result.seconds
        wall = sum(evaluated.values())
        if not result.complete:
            continue  # ended early: its prior is -inf, or a unit failed
        totals.append(cpu)
        walls.append(wall)
        for unit, taken in evaluated.items():
            seconds[unit] = seconds.get(unit, 0.0) + taken * cpu / wall
    if not totals:
        fault = Fault(
            "plan",
            "cannot measure: no starting walker could be evaluated completely",
            "try a smaller mcmc.chain_std_deviation or a wider prior",
        )
        raise Refusal(ExitCode.BAD_INPUT, [fault])
    evaluation = float(np.mean(totals))
    return Measured(
        evaluation=evaluation,
        spread=float(np.std(totals)) / evaluation,
        units={unit: taken / len(totals) for unit, taken in seconds.items()},
        walkers=len(totals),
        waited=sum(walls) / sum(totals),
    )
