"""Recent speed of the sampling, and how busy its workers are."""

from collections import deque
from typing import NamedTuple

from espei_hpc.sampler.preparation import Preparation

SECONDS = 60.0
ITERATIONS = 5
"""What counts as recent: at least this many seconds and this many iterations."""
LEAST_STEP = 0.5
"""Iterations that end within this many seconds are merged, so that the memory used is bounded."""


class _Mark(NamedTuple):
    """Totals at the end of an iteration."""

    at: float
    done: int
    worked: float
    there: float


class Recent:
    """Measures the recent part of a sampling; the caller passes the time.

    Iterations during which workers are preparing do not count; until there are others nothing is known.

    Args:
        now: when the sampling begins, s.
        done: iterations finished before.
    """

    def __init__(self, now: float, done: int) -> None:
        self._now = now
        self._worked = self._there = 0.0
        self._preparation = Preparation(now, done)
        self._begin(done)

    def _begin(self, done: int) -> None:
        self._first = _Mark(self._now, done, self._worked, self._there)
        self._marks = deque([self._first])

    def passed(self, now: float, workers: int) -> None:
        """Record the time, and the number of workers since the last call."""
        self._there += workers * (now - self._now)
        self._now = now

    def answered(self, seconds: float, *, preparing: bool = False) -> None:
        """Record the seconds of an evaluation, and whether its worker was preparing."""
        self._worked += seconds
        self._preparation.answered(seconds, preparing=preparing)

    def iterated(self, done: int, awaited: int = 0) -> None:
        """Record the number of finished iterations, and of workers that are not ready yet."""
        self._preparation.iterated(self._now, awaited)
        if self.preparing:
            self._begin(done)
            return
        marks = self._marks
        if len(marks) > 2 and marks[-1].at - marks[-2].at < LEAST_STEP:
            marks.pop()
        marks.append(_Mark(self._now, done, self._worked, self._there))
        while len(marks) > 2 and _enough(marks[1], marks[-1]):
            marks.popleft()

    @property
    def preparing(self) -> bool:
        """Whether workers are preparing."""
        return not self._preparation.over

    @property
    def mean(self) -> float | None:
        """Mean time per iteration since the preparation ended, s; None before the first iteration."""
        return _length(self._first, self._marks[-1])

    @property
    def pace(self) -> float | None:
        """Recent time per iteration, s; None before the first iteration."""
        return _length(self._marks[0], self._marks[-1])

    @property
    def busy(self) -> float | None:
        """Fraction of the workers' time spent evaluating, 0 to 1; None if unknown.

        Unfinished evaluations are not counted, so it is accurate only after several evaluations per
        worker.
        """
        first, last = self._marks[0], self._marks[-1]
        there = last.there - first.there
        return min(1.0, (last.worked - first.worked) / there) if there > 0 else None


def _length(first: _Mark, last: _Mark) -> float | None:
    return (last.at - first.at) / (last.done - first.done) if last.done > first.done else None


def _enough(first: _Mark, last: _Mark) -> bool:
    return last.at - first.at >= SECONDS and last.done - first.done >= ITERATIONS
