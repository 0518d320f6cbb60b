"""Evaluations that only sleep, for the recorded times of Cu-Mg: any number of workers needs no cores.

What the time of an evaluation is follows from its parameters, so that all its
pieces, on whichever workers, are pieces of the same.
"""

import json
import math
import pickle
import time
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from espei_hpc.likelihood import Description, Evaluated, Residual, UnitResult
from espei_hpc.likelihood.results import Kind

FloatArray = npt.NDArray[np.float64]
STOCK, PREPARED = "cu-mg", "cu-mg-prepared"
"""Whose times there are: of ESPEI's own functions, and of the prepared likelihood."""

CONTEXT_BYTES = 800_000
"""What the context that stock ESPEI sends to the workers takes for Cu-Mg."""


@dataclass(frozen=True)
class Recorded:
    """The recorded likelihood.

    Attributes:
        symbols: number of symbols.
        walkers: number of walkers.
        evaluation: seconds of one evaluation, on average.
        shares: seconds of each unit at some walkers, relative to all of an evaluation,
            shape (walkers, units).
        values: number of values of each unit.
        residuals: the residuals.
    """

    symbols: int
    walkers: int
    evaluation: float
    shares: FloatArray
    values: tuple[int, ...]
    residuals: tuple[Residual, ...]

    def usual(self) -> dict[int, float]:
        """Return the mean seconds of each unit, by its number."""
        return dict(enumerate((self.evaluation * self.shares.mean(axis=0)).tolist()))

    def seconds(self, parameters: FloatArray, spread: float) -> FloatArray:
        """Return the seconds of each unit at some parameters, shape (units,).

        Args:
            parameters: shape (parameters,).
            spread: standard deviation of an evaluation, relative to it.
        """
        random = np.random.default_rng(zlib.crc32(parameters.tobytes()))
        sigma = math.sqrt(math.log(1 + spread**2))
        factor = random.lognormal(-(sigma**2) / 2, sigma)
        seconds: FloatArray = self.evaluation * factor * self.shares[random.integers(len(self.shares))]
        return seconds


@lru_cache
def recorded(whose: str = STOCK) -> Recorded:
    """Read the recorded times."""
    told = json.loads(times(whose).read_text())
    seconds = np.array(told["seconds"])
    residuals = [
        Residual(row["name"], Kind(row["kind"]), row["weight"], tuple(row["units"]))
        for row in told["residuals"]
    ]
    return Recorded(
        symbols=told["symbols"],
        walkers=told["walkers"],
        evaluation=told["cpu_seconds"],
        shares=seconds / seconds.sum(axis=1, keepdims=True),
        values=tuple(told["values"]),
        residuals=tuple(residuals),
    )


def times(whose: str) -> Path:
    """Return the file of recorded times."""
    return Path(__file__).with_name(f"{whose}-times.json")


def packed(spread: float, whose: str) -> bytes:
    """Return what a :class:`Sleeper` is made from."""
    return pickle.dumps((spread, whose))


class Sleeper:
    """An evaluator that sleeps, in place of ``likelihood.Evaluator``.

    The log-probability is a Gaussian's, told by the fixed configurations; the other
    residuals have as many values as the real ones, all the same.

    Args:
        packed: the spread of evaluations and whose times they are, packed.

    Attributes:
        description: the recorded likelihood's.
    """

    def __init__(self, packed: bytes) -> None:
        whose: str
        self._spread: float
        self._spread, whose = pickle.loads(packed)
        self._recorded = recorded(whose)
        names = tuple(f"unit {number}" for number in range(len(self._recorded.values)))
        symbols = tuple(f"VV{number:04d}" for number in range(self._recorded.symbols))
        initial = (0.0,) * len(symbols)
        self.description = Description(symbols, initial, self._recorded.residuals, names, ())
        (told,) = (res for res in self.description.residuals if res.kind is Kind.CONFIGURATIONS)
        self._told = {unit: len(told.units) for unit in told.units}

    def __call__(self, parameters: FloatArray, units: tuple[int, ...]) -> Evaluated:
        """Sleep for what the units take at these parameters."""
        seconds = self._recorded.seconds(parameters, self._spread)
        taken = {unit: float(seconds[unit]) for unit in units}
        time.sleep(sum(taken.values()))
        return Evaluated(0.0, {unit: self._result(unit, parameters) for unit in units}, taken)

    def _result(self, unit: int, parameters: FloatArray) -> UnitResult:
        count = self._recorded.values[unit]
        if unit not in self._told:
            return UnitResult((0.0,) * count, (1.0,) * count)
        total = log_probability(parameters) / self._told[unit]
        return UnitResult((total, *(0.0,) * (count - 1)))


def log_probability(parameters: FloatArray) -> float:
    """A standard Gaussian's, not normalised."""
    return float(-0.5 * np.sum(parameters**2))


def predict(parameters: FloatArray, **context: Any) -> float:
    """Sleep for a whole evaluation, in place of stock's ``EmceeOptimizer.predict``; not at the origin."""
    if not np.any(parameters):
        return 0.0
    time.sleep(float(recorded().seconds(np.asarray(parameters), context["symbols_to_fit"]).sum()))
    return log_probability(parameters)
