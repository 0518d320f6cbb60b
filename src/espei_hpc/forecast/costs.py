"""The times that determine the scheduling of a fit."""

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

PER_CALL = 0.4e-3
"""Seconds of the client for one call of a worker; 0.33 ms were measured (docs/scaling.md)."""

LATENCY = 2e-3
"""Network round-trip time of a call, s; 1.6 ms were measured."""

UNEVENNESS = 0.01
"""Cu-Mg: 0.005 with the fastest of three evaluations each, 0.03 on an overloaded machine."""


@dataclass(frozen=True)
class Costs:
    """The times that determine how fast a chain can be.

    Attributes:
        evaluation: seconds of one evaluation on one worker.
        spread: standard deviation between evaluations, relative to the mean.
        units: seconds of each unit of an evaluation; if empty, an evaluation can be
            cut anywhere.
        per_call: seconds of the client for one call and its result; calls are serial.
        latency: seconds from the client to a worker and back.
        unevenness: variation of the time of equal pieces between parameter sets:
            relative standard deviation of a piece, divided by the square root of the
            number of pieces (it grows with that, as pieces have fewer units).
    """

    evaluation: float
    spread: float
    units: Mapping[int, float] = field(default_factory=dict)
    per_call: float = PER_CALL
    latency: float = LATENCY
    unevenness: float = UNEVENNESS

    def shares(self, pieces: int) -> FloatArray:
        """Return the fraction of an evaluation in each of its pieces, the largest first, shape (pieces,).

        Units are assigned longest first to the piece with the least work, as
        ``likelihood.cut`` does; there are never more pieces than units.
        """
        if not self.units:
            return np.full(pieces, 1 / pieces)
        loads = [0.0] * min(pieces, len(self.units))
        for seconds in sorted(self.units.values(), reverse=True):
            heapq.heapreplace(loads, loads[0] + seconds)
        shares: FloatArray = np.sort(loads)[::-1] / sum(loads)
        return shares

    def evaluations(self, walkers: int, iterations: int, seed: int) -> FloatArray:
        """Draw the seconds of every evaluation of a chain, shape (2 iterations, walkers / 2).

        They are lognormal, with exactly the mean ``evaluation``, so that an efficiency has no random error.
        """
        factors = np.random.default_rng(seed).lognormal(0, width(self.spread), (2 * iterations, walkers // 2))
        seconds: FloatArray = self.evaluation * factors / factors.mean()
        return seconds


def width(spread: float) -> float:
    """Return the lognormal distribution's parameter sigma for a relative standard deviation."""
    return math.sqrt(math.log(1 + spread**2))
