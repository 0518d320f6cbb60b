"""Whether workers still prepare: how long iterations take meanwhile tells nothing of those to come."""

SHARE = 0.1
"""Part of an iteration's evaluations, by their time, from which on preparing counts."""
PATIENCE = 600.0
"""Seconds after which iterations count all the same: a worker may never be ready."""


class Preparation:
    """Follows the preparation of a sampling's workers, by a clock handed in.

    Args:
        now: when the sampling begins, s.
        done: iterations that were done by then.

    Attributes:
        over: whether it is over. It stays so: a worker that joins later is one of many.
    """

    def __init__(self, now: float, done: int) -> None:
        self._began = now
        self._starting = done == 0
        self._worked = self._prepared = 0.0
        self.over = False

    def answered(self, seconds: float, *, preparing: bool) -> None:
        """Take note of an evaluation that took a worker so many seconds, and whether it prepared in it."""
        self._worked += seconds
        self._prepared += seconds if preparing else 0.0

    def iterated(self, now: float, awaited: int = 0) -> None:
        """Take note of the end of an iteration.

        Args:
            now: the time, s.
            awaited: workers that still build their likelihood.
        """
        # Before the first iteration ends the starting walkers are evaluated, too.
        prepares = self._starting or awaited > 0 or self._prepared > SHARE * self._worked
        self.over = self.over or not prepares or now - self._began >= PATIENCE
        self._starting, self._worked, self._prepared = False, 0.0, 0.0
