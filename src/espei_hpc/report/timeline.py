"""Which worker evaluated when, as the fit wrote it down."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from espei_hpc.report.samples import FloatArray

NAME = "timeline.npz"


@dataclass(frozen=True)
class Timeline:
    """The last evaluations of a fit.

    Attributes:
        workers: name of each worker.
        worker: (evaluations,) which of them.
        begin: (evaluations,) when it began, in s since the first.
        seconds: (evaluations,) how long it took.
    """

    workers: tuple[str, ...]
    worker: NDArray[np.int32]
    begin: FloatArray
    seconds: FloatArray

    @property
    def efficiency(self) -> float:
        """Which part of their time the workers evaluated."""
        span = float(np.max(self.begin + self.seconds))
        return float(np.sum(self.seconds)) / (span * len(self.workers)) if span > 0 else 0.0

    def at_work(self, windows: int) -> tuple[FloatArray, FloatArray]:
        """Return how many workers were at work, on average over each of so many windows of equal length.

        Returns:
            (windows + 1,) the windows' edges in s, and (windows,) workers.
        """
        times = np.concatenate([self.begin, self.begin + self.seconds])
        steps = np.repeat([1.0, -1.0], len(self.begin))
        order = np.argsort(times, kind="stable")
        times, busy = times[order], np.cumsum(steps[order])
        # Worker-seconds up to each time, between which they grow evenly.
        work = np.concatenate([[0.0], np.cumsum(busy[:-1] * np.diff(times))])
        edges = np.linspace(0, times[-1], windows + 1)
        return edges, np.diff(np.interp(edges, times, work)) / np.diff(edges)


def read(run_directory: Path) -> Timeline | None:
    """Read a run's timeline; None if it has none that can be read, or an empty one."""
    try:
        with np.load(run_directory / NAME) as kept:
            worker, begin, seconds = kept["worker"], kept["begin"], kept["seconds"]
            names = tuple(map(str, kept["workers"]))
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    if not len(begin):
        return None
    return Timeline(names, worker, begin - begin.min(), seconds)
