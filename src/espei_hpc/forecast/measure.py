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
"""Walkers to measure: the spread between them counts, not only the mean."""

ENOUGH_SECONDS = 30.0
"""No further walker is begun after so long, once there are ``FEWEST``."""


class Timed(Protocol):
    """What an evaluation tells; ``likelihood.Evaluated`` does."""

    @property
    def seconds(self) -> dict[int, float]:
        """Wall seconds of each unit, by its number; those not evaluated are absent."""


@dataclass(frozen=True)
class Measured:
    """What evaluations take on this machine.

    Attributes:
        evaluation: CPU seconds of one, on average.
        spread: standard deviation between walkers, relative to that.
        units: CPU seconds of each unit, on average, by its number.
        walkers: starting walkers that were measured.
        waited: wall seconds for each CPU second; far above 1 on a machine that is busy otherwise.
    """

    evaluation: float
    spread: float
    units: dict[int, float]
    walkers: int
    waited: float


def measure(
    evaluate: Callable[[FloatArray], Timed], initial: FloatArray, starts: FloatArray, most: int = MOST
) -> Measured:
    """Evaluate the initial guess until that has warmed up, and then a few starting walkers.

    CPU seconds count: a worker has its core to itself, this process perhaps not.

    Args:
        evaluate: evaluates all units.
        initial: the initial guess, shape (parameters,).
        starts: the starting walkers, shape (walkers, parameters).
        most: how many of them to measure.

    Raises:
        Refusal: if no starting walker could be evaluated to the end.
    """
    for _ in range(WARM_UP):
        units = frozenset(evaluate(initial).seconds)
    totals: list[float] = []
    walls: list[float] = []
    seconds = dict.fromkeys(units, 0.0)
    begin = time.monotonic()
    for start in starts[:most]:
        if len(totals) >= FEWEST and time.monotonic() - begin > ENOUGH_SECONDS:
            break
        cpu = time.process_time()
        evaluated = evaluate(start).seconds
        cpu = time.process_time() - cpu
        wall = sum(evaluated.values())
        if not evaluated or evaluated.keys() != units:
            continue  # ended early, where its prior is -inf or a unit failed
        totals.append(cpu)
        walls.append(wall)
        for unit, taken in evaluated.items():
            seconds[unit] += taken * cpu / wall
    if not totals:
        fault = Fault(
            "plan",
            "no starting walker's log-probability could be evaluated to the end: its time is unknown",
            "a smaller mcmc.chain_std_deviation or a wider prior may help",
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
