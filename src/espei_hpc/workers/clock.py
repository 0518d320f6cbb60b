"""A clock that does not run on while nobody looks at it."""

import time
from collections.abc import Callable

STEP = 5.0
"""Seconds that may pass at most between two looks."""


class Clock:
    """Seconds during which this process was there to hear answers.

    A job suspended by the batch system, or stopped in a terminal, hears nothing
    meanwhile; that must not count as silence of the workers.

    Args:
        read: the clock below, in seconds.
    """

    def __init__(self, read: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._last = read()
        self._passed = 0.0

    def now(self) -> float:
        """Seconds since the beginning, with at most ``STEP`` added since the last look."""
        last, self._last = self._last, self._read()
        self._passed += min(self._last - last, STEP)
        return self._passed
