"""``timeline.npz``: which worker evaluated when, for those who want to see how busy each was."""

import io
import time
from collections import deque
from pathlib import Path

import numpy as np

from espei_hpc.rundir.files import write_best_effort
from espei_hpc.workers.results import Done

NAME = "timeline.npz"
MOST = 20_000
"""Pieces that are kept, the latest."""
SECONDS = 30.0
"""Between two writings, at least: the file has up to 400 kB."""


class TimelineFile:
    """Keeps the latest evaluated pieces.

    The file has the arrays ``worker`` (numbers in ``workers``), ``begin`` (s since 1970, by the
    worker's own clock), ``seconds``, each of shape (pieces,) and in the order of their answers, and
    ``workers`` (addresses).

    Args:
        run_directory: the run directory, which this process holds.
    """

    def __init__(self, run_directory: Path) -> None:
        self._path = run_directory / NAME
        self._pieces: deque[tuple[int, float, float]] = deque(maxlen=MOST)
        self._workers: dict[str, int] = {}
        self._written = time.monotonic()

    def add(self, done: Done) -> None:
        """Take note of an evaluated piece."""
        number = self._workers.setdefault(done.worker, len(self._workers))
        self._pieces.append((number, done.began, done.seconds))

    def write_if_due(self) -> None:
        """Write the file, but only now and then."""
        if time.monotonic() - self._written >= SECONDS:
            self.write()

    def write(self) -> None:
        """Write the file; where that is not possible the fit goes on all the same."""
        if not self._pieces:
            return  # what an earlier start has written is of more use
        worker, begin, seconds = zip(*self._pieces, strict=True)
        content = io.BytesIO()
        np.savez(
            content,
            worker=np.array(worker, dtype=np.int32),
            begin=np.array(begin),
            seconds=np.array(seconds),
            workers=np.array([*self._workers]),
        )
        write_best_effort(self._path, content.getvalue())
        self._written = time.monotonic()
