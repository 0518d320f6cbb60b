"""How fast the sampling is of late, and how busy its workers are."""

from collections import deque
from typing import NamedTuple

from espei_hpc.sampler.preparation import Preparation

SECONDS = 60.0
ITERATIONS = 5
"""What counts as of late: at least so many seconds, and so many iterations."""
LEAST_STEP = 0.5
"""Iterations that end within so many seconds are taken together, so that what is kept is bounded."""


class _Mark(NamedTuple):
    """What had come together by the end of an iteration."""

    at: float
    done: int
    worked: float
    there: float


class Recent:
    """Measures the last while of a sampling, by a clock handed in.

    Iterations in which workers prepare do not count: nothing is known while there are no others.

    Args:
        now: when the sampling begins, s.
        done: iterations that were done by then.
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
        """Take note of the time; since the last call so many workers were there."""
        self._there += workers * (now - self._now)
        self._now = now

    def answered(self, seconds: float, *, preparing: bool = False) -> None:
        """Take note of an evaluation that took a worker so many seconds, and whether it prepared in it."""
        self._worked += seconds
        self._preparation.answered(seconds, preparing=preparing)

    def iterated(self, done: int, awaited: int = 0) -> None:
        """Take note that so many iterations are done by now, with so many workers still to be ready."""
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
        """Whether workers prepare."""
        return not self._preparation.over

    @property
    def mean(self) -> float | None:
        """Length of an iteration since the preparation was over, s; None before the first."""
        return _length(self._first, self._marks[-1])

    @property
    def pace(self) -> float | None:
        """Length of an iteration of late, s; None before the first."""
        return _length(self._marks[0], self._marks[-1])

    @property
    def busy(self) -> float | None:
        """Fraction of the workers' time in which they evaluated, 0 to 1; None while it is not known.

        What is still being evaluated is not in it, as little as what was begun before; so it needs
        several evaluations of each worker to be right.
        """
        first, last = self._marks[0], self._marks[-1]
        there = last.there - first.there
        return min(1.0, (last.worked - first.worked) / there) if there > 0 else None


def _length(first: _Mark, last: _Mark) -> float | None:
    return (last.at - first.at) / (last.done - first.done) if last.done > first.done else None


def _enough(first: _Mark, last: _Mark) -> bool:
    return last.at - first.at >= SECONDS and last.done - first.done >= ITERATIONS
