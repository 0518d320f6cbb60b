"""``timeline.npz``: when each worker evaluated, to show how busy each was."""

import io
import time
import zipfile
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from espei_hpc.rundir.files import write_best_effort
from espei_hpc.sampler import FloatArray
from espei_hpc.workers.results import Done

NAME = "timeline.npz"
MOST = 20_000
"""Number of pieces kept, the latest ones."""
SECONDS = 30.0
"""Minimum time between two writes: the file has up to 400 kB."""


class TimelineFile:
    """Keeps the latest evaluated pieces.

    The file has the arrays ``worker`` (indices into ``workers``), ``begin`` (s since 1970, by the
    worker's own clock) and ``seconds``, each of shape (pieces,) and in the order of the results, and
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
        """Record an evaluated piece."""
        number = self._workers.setdefault(done.worker, len(self._workers))
        self._pieces.append((number, done.began, done.seconds))

    def write_if_due(self) -> None:
        """Write the file if it has not been written recently."""
        if time.monotonic() - self._written >= SECONDS:
            self.write()

    def write(self) -> None:
        """Write the file; an error does not affect the fit."""
        if not self._pieces:
            return  # keep the file of an earlier start
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


@dataclass(frozen=True)
class Timeline:
    """The last evaluations of a fit.

    Attributes:
        workers: name of each worker.
        worker: (evaluations,) index of the worker.
        begin: (evaluations,) start time, s since the first evaluation.
        seconds: (evaluations,) duration, s.
    """

    workers: tuple[str, ...]
    worker: NDArray[np.int32]
    begin: FloatArray
    seconds: FloatArray

    @property
    def efficiency(self) -> float:
        """Fraction of the workers' time spent evaluating."""
        span = float(np.max(self.begin + self.seconds))
        return float(np.sum(self.seconds)) / (span * len(self.workers)) if span > 0 else 0.0

    def at_work(self, windows: int) -> tuple[FloatArray, FloatArray]:
        """Return the mean number of busy workers in each of ``windows`` time windows of equal length.

        Returns:
            (windows + 1,) edges of the windows, s, and (windows,) number of workers.
        """
        times = np.concatenate([self.begin, self.begin + self.seconds])
        steps = np.repeat([1.0, -1.0], len(self.begin))
        order = np.argsort(times, kind="stable")
        times, busy = times[order], np.cumsum(steps[order])
        # Worker-seconds up to each time; linear in between.
        work = np.concatenate([[0.0], np.cumsum(busy[:-1] * np.diff(times))])
        edges = np.linspace(0, times[-1], windows + 1)
        return edges, np.diff(np.interp(edges, times, work)) / np.diff(edges)


def read(run_directory: Path) -> Timeline | None:
    """Read a run's timeline; None if it is missing, unreadable or empty."""
    try:
        with np.load(run_directory / NAME) as kept:
            worker, begin, seconds = kept["worker"], kept["begin"], kept["seconds"]
            names = tuple(map(str, kept["workers"]))
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    if not len(begin):
        return None
    return Timeline(names, worker, begin - begin.min(), seconds)
