"""The state of a sampling, for the progress display and the summary."""

from dataclasses import dataclass, field

import numpy as np

from espei_hpc.sampler.goal import Judgement
from espei_hpc.sampler.moves import STRETCH
from espei_hpc.sampler.pace import Recent
from espei_hpc.sampler.state import FloatArray


@dataclass
class Sampling:
    """The state of a sampling, while it runs and afterwards.

    Attributes:
        iterations: iterations requested; 0 before the sampling begins.
        done: finished iterations.
        start: log-probabilities of the starting walkers, shape (walkers,).
        best: highest log-probability so far, the start included.
        last: log-probabilities of the walkers now, shape (walkers,).
        acceptance: fraction of proposals accepted so far, over all walkers.
        workers: current number of workers; None if unknown.
        preparing: whether workers are preparing, so that the pace is not known yet.
        pace: recent time per iteration, s; None if unknown.
        mean: mean time per iteration since the preparation ended, s; None if unknown.
        busy: recent fraction of the workers' time spent evaluating, 0 to 1; None if unknown.
        job_end: when the job ends, s since 1970; None if unknown.
        judged: how close the chain is to its goal; None without a goal, and before it is first judged.
        sampler: name of the walkers' move.
        saved_at: when this start wrote its last checkpoint, s since 1970; None if it has written none.
    """

    iterations: int = 0
    done: int = 0
    start: FloatArray = field(default_factory=lambda: np.empty(0))
    best: float = -np.inf
    last: FloatArray = field(default_factory=lambda: np.empty(0))
    acceptance: float = 0.0
    workers: int | None = None
    preparing: bool = False
    pace: float | None = None
    mean: float | None = None
    busy: float | None = None
    job_end: float | None = None
    saved_at: float | None = None
    judged: Judgement | None = None
    sampler: str = STRETCH

    def paced(self, recent: Recent) -> None:
        """Copy the recent speed of the sampling."""
        self.preparing, self.pace, self.mean = recent.preparing, recent.pace, recent.mean
        self.busy = recent.busy

    @property
    def reached(self) -> bool:
        """Whether the goal is reached, so that the fit is finished."""
        return self.judged is not None and self.judged.reached

    @property
    def median(self) -> float:
        """Median of the walkers' current log-probabilities; minus infinity before there are any."""
        return float(np.median(self.last)) if self.last.size else -np.inf

    @property
    def left(self) -> float | None:
        """Time left at the recent pace, s; None if unknown."""
        return None if self.pace is None else self.pace * max(0, self.iterations - self.done)

    def job_left(self, now: float) -> float | None:
        """Time until the job ends, s, at time ``now`` (s since 1970); None if unknown."""
        return None if self.job_end is None else max(0.0, self.job_end - now)

    def saved_ago(self, now: float) -> float | None:
        """Age of the last checkpoint, s, at time ``now`` (s since 1970); None if there is none."""
        return None if self.saved_at is None else max(0.0, now - self.saved_at)
