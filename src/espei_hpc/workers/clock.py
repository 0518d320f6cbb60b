"""A clock that stops while this process is suspended."""

import time
from collections.abc import Callable

STEP = 5.0
"""Maximum number of seconds counted between two readings."""


class Clock:
    """Seconds during which this process could receive results.

    A job suspended by the batch system, or stopped in a terminal, receives nothing;
    workers must not count as hanging because of that.

    Args:
        read: the underlying clock, s.
    """

    def __init__(self, read: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._last = read()
        self._passed = 0.0

    def now(self) -> float:
        """Seconds since the beginning; at most ``STEP`` is added per call."""
        last, self._last = self._last, self._read()
        self._passed += min(self._last - last, STEP)
        return self._passed
