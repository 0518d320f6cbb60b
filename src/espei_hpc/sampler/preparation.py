"""Whether workers are still preparing: the time of such iterations does not predict later ones."""

SHARE = 0.1
"""Workers are preparing if more than this fraction of an iteration's evaluation time includes it."""
PATIENCE = 600.0
"""Seconds after which iterations are counted anyway: a worker may never be ready."""


class Preparation:
    """Follows the preparation of a sampling's workers; the caller passes the time.

    Args:
        now: when the sampling begins, s.
        done: iterations finished before.

    Attributes:
        over: whether it has ended. It stays so: a single worker that joins later matters little.
    """

    def __init__(self, now: float, done: int) -> None:
        self._began = now
        self._starting = done == 0
        self._worked = self._prepared = 0.0
        self.over = False

    def answered(self, seconds: float, *, preparing: bool) -> None:
        """Record the seconds of an evaluation, and whether its worker was preparing."""
        self._worked += seconds
        self._prepared += seconds if preparing else 0.0

    def iterated(self, now: float, awaited: int = 0) -> None:
        """Record the end of an iteration.

        Args:
            now: the time, s.
            awaited: number of workers that are still building their likelihood.
        """
        # The first iteration includes the evaluation of the starting walkers.
        prepares = self._starting or awaited > 0 or self._prepared > SHARE * self._worked
        self.over = self.over or not prepares or now - self._began >= PATIENCE
        self._starting, self._worked, self._prepared = False, 0.0, 0.0
