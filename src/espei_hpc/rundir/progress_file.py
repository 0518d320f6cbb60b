"""``progress.json``: how far a fit is, for those who look at its run directory from elsewhere."""

import json
import math
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from espei_hpc.rundir.files import read_json, write_best_effort
from espei_hpc.sampler.sampling import Sampling

NAME = "progress.json"
SECONDS = 5.0
"""Between two writings, at least."""


@dataclass(frozen=True)
class Progress:
    """What ``progress.json`` says; None where it is not known.

    Attributes:
        iteration: iterations done.
        iterations: iterations asked for.
        best: highest log-probability so far.
        median: median of the walkers' log-probabilities.
        acceptance: fraction of proposals accepted so far.
        seconds_per_iteration: length of an iteration of late, s.
        workers: how many take part.
        efficiency: fraction of the workers' time of late in which they evaluated.
        job_end: when the job ends, s since 1970.
        time: when this was so, s since 1970.
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
        """Return that of a sampling, at a time in s since 1970."""
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
        """Read that of a run directory; None if there is none that can be read."""
        told = read_json(run_directory / NAME)
        if not isinstance(told, dict):
            return None
        return cls(**{field.name: _number(told.get(field.name)) for field in fields(cls)})

    @property
    def left(self) -> float | None:
        """Time that the rest takes at the pace of late, s."""
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
        """Write it, but only every few seconds."""
        if time.monotonic() >= self._due:
            self.write(sampling)

    def write(self, sampling: Sampling) -> None:
        """Write it; where that is not possible the fit goes on all the same."""
        told = Progress.of(sampling, time.time())
        write_best_effort(self._path, json.dumps(asdict(told), indent=1, allow_nan=False).encode())
        self._due = time.monotonic() + SECONDS


def _number(value: object) -> float | None:
    """Return what is a finite number, and None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None
