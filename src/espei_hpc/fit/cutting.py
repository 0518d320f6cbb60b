"""Decides into how many pieces each evaluation is cut, from measured costs and the number of workers.

It uses as few pieces as keep every worker busy: with many walkers per worker an
evaluation is not cut. :func:`espei_hpc.forecast.best_cut` decides by replaying
the sampler; that takes a second or two, so it runs in a thread while the
workers continue with the current cut.
"""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from espei_hpc.forecast.costs import Costs
from espei_hpc.forecast.cut import best_cut
from espei_hpc.likelihood import cut
from espei_hpc.sampler.moves import STRETCH

Pieces = tuple[tuple[int, ...], ...]

DRIFT = 0.2
"""Relative change of an evaluation's time that triggers a new decision, which takes a second or two."""

SPREAD_DRIFT = 0.1
"""Change of the spread that triggers one: the first decision knows the spread of half the walkers only."""

FORGET = 0.1
"""Weight of a new measurement relative to earlier ones."""


class Cutter:
    """Decides the pieces of the next evaluation.

    Args:
        units: the numbers that identify the likelihood's units.
        walkers: number of walkers.
        sampler: name of their move.
    """

    def __init__(self, units: tuple[int, ...], walkers: int, sampler: str = STRETCH) -> None:
        self._walkers = walkers
        self._sampler = sampler
        self._seconds = dict.fromkeys(units, 0.0)
        self._totals: list[float] = []
        self._measured = 0
        self._decided_for: tuple[int, Costs] | None = None
        self._deciding: Future[int] | None = None
        self._thread = ThreadPoolExecutor(1, "cut")
        self._pieces: Pieces = (units,)

    def learn(self, seconds: Mapping[int, float]) -> None:
        """Record the time that each unit of one evaluation took, s."""
        if set(seconds) != set(self._seconds):
            return  # ended early: its prior was -inf, or a unit failed
        weight = max(FORGET, 1 / (self._measured + 1))
        for unit, taken in seconds.items():
            self._seconds[unit] += weight * (taken - self._seconds[unit])
        self._totals = [*self._totals[-self._walkers :], sum(seconds.values())]
        self._measured += 1

    def pieces(self, workers: int) -> Pieces:
        """Return the units of each piece for the next evaluation.

        Args:
            workers: number of workers that share the work.
        """
        if self._measured < self._walkers // 2:
            return self.cut_into(-(-workers // self._walkers))
        if self._deciding is None and self._outdated(workers, costs := self._costs()):
            self._decided_for = (workers, costs)
            self._deciding = self._thread.submit(
                best_cut, self._walkers, workers, costs, sampler=self._sampler
            )
        if self._deciding is not None and not self.deciding:
            self._pieces = self.cut_into(self._deciding.result())
            self._deciding = None
        return self._pieces

    @property
    def deciding(self) -> bool:
        """Whether a decision is being made."""
        return self._deciding is not None and not self._deciding.done()

    def close(self) -> None:
        """Stop the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _outdated(self, workers: int, now: Costs) -> bool:
        """Whether the number of workers or the evaluation time has changed since the last decision."""
        if self._decided_for is None:
            return True
        workers_then, then = self._decided_for
        return (
            workers != workers_then
            or abs(now.evaluation - then.evaluation) > DRIFT * then.evaluation
            or abs(now.spread - then.spread) > SPREAD_DRIFT
        )

    def _costs(self) -> Costs:
        evaluation = sum(self._seconds.values())
        spread = float(np.std(self._totals)) / evaluation if evaluation else 0.0
        return Costs(evaluation=evaluation, spread=spread, units=dict(self._seconds))

    def cut_into(self, number: int) -> Pieces:
        """Return the units of each of ``number`` pieces that take about the same time."""
        # Before the first measurement all units are assumed to take the same time.
        seconds = self._seconds if self._measured else dict.fromkeys(self._seconds, 1.0)
        return cut(seconds, number)
