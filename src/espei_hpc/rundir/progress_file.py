"""``progress.json``: the progress of a fit, for other processes and hosts."""

import json
import math
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from espei_hpc.rundir.files import read_json, write_best_effort
from espei_hpc.sampler.sampling import Sampling

NAME = "progress.json"
SECONDS = 5.0
"""Minimum time between two writes."""


@dataclass(frozen=True)
class Progress:
    """Content of ``progress.json``; unknown values are None.

    Attributes:
        iteration: finished iterations.
        iterations: iterations requested.
        best: highest log-probability so far.
        median: median of the walkers' log-probabilities.
        acceptance: fraction of proposals accepted so far.
        seconds_per_iteration: recent time per iteration, s.
        workers: number of workers.
        efficiency: recent fraction of the workers' time spent evaluating.
        job_end: when the job ends, s since 1970.
        time: when the file was written, s since 1970.
    """

    iteration: float | None = None
    iterations: float | None = None
    best: float | None = None
    median: float | None = None
    acceptance: float | None = None
    seconds_per_iteration: float | None = None
    workers: float | None = None
    efficiency: float | None = None
    job_end: float | None = None
    time: float | None = None

    @classmethod
    def of(cls, sampling: Sampling, now: float) -> "Progress":
        """Return the progress of a sampling at time ``now``, s since 1970."""
        sampled = sampling.done > 0
        return cls(
            iteration=sampling.done,
            iterations=sampling.iterations,
            best=_number(sampling.best),
            median=_number(sampling.median),
            acceptance=sampling.acceptance if sampled else None,
            seconds_per_iteration=sampling.pace,
            workers=sampling.workers,
            efficiency=sampling.busy,
            job_end=sampling.job_end,
            time=now,
        )

    @classmethod
    def read(cls, run_directory: Path) -> "Progress | None":
        """Read the file in a run directory; None if it is missing or not readable."""
        progress = read_json(run_directory / NAME)
        if not isinstance(progress, dict):
            return None
        return cls(**{field.name: _number(progress.get(field.name)) for field in fields(cls)})

    @property
    def left(self) -> float | None:
        """Time left at the recent pace, s."""
        if self.seconds_per_iteration is None or self.iterations is None or self.iteration is None:
            return None
        return self.seconds_per_iteration * max(0, self.iterations - self.iteration)


class ProgressFile:
    """Keeps the file up to date.

    Args:
        run_directory: the run directory, which this process holds.
    """

    def __init__(self, run_directory: Path) -> None:
        self._path = run_directory / NAME
        self._due = -math.inf

    def write_if_due(self, sampling: Sampling) -> None:
        """Write the file if a few seconds have passed since the last time."""
        if time.monotonic() >= self._due:
            self.write(sampling)

    def write(self, sampling: Sampling) -> None:
        """Write the file; an error does not affect the fit."""
        progress = Progress.of(sampling, time.time())
        write_best_effort(self._path, json.dumps(asdict(progress), indent=1, allow_nan=False).encode())
        self._due = time.monotonic() + SECONDS


def _number(value: object) -> float | None:
    """Return a finite number as it is, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None
