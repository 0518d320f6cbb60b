"""What is known of a sampling while it runs: for the progress, and for the summary."""

from dataclasses import dataclass, field

import numpy as np

from espei_hpc.sampler.goal import Judgement
from espei_hpc.sampler.pace import Recent
from espei_hpc.sampler.state import FloatArray


@dataclass
class Sampling:
    """What is known of the sampling while it runs and afterwards.

    Attributes:
        iterations: iterations asked for; 0 before the sampling begins.
        done: iterations finished.
        start: log-probabilities of the starting walkers, shape (walkers,).
        best: highest log-probability so far, the start included.
        last: log-probabilities of the walkers now, shape (walkers,).
        acceptance: fraction of proposals accepted so far, over all walkers.
        workers: how many take part now; None where that is not known.
        preparing: whether workers prepare, so that no pace is known yet.
        pace: length of an iteration of late, s; None where that is not known.
        mean: length of an iteration since the preparation was over, s; None where that is not known.
        busy: fraction of the workers' time of late in which they evaluated, 0 to 1; None where that is not
            known.
        job_end: when the job ends, s since 1970; None where that is not known.
        judged: how far the chain is from a goal besides the iterations; None without one, and before it was
            judged.
        saved_at: when the last checkpoint was written, s since 1970; None if none was in this start.
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

    def paced(self, recent: Recent) -> None:
        """Take note of how fast the sampling is."""
        self.preparing, self.pace, self.mean = recent.preparing, recent.pace, recent.mean
        self.busy = recent.busy

    @property
    def reached(self) -> bool:
        """Whether a goal besides the iterations is reached, so that the fit is finished."""
        return self.judged is not None and self.judged.reached

    @property
    def median(self) -> float:
        """Median of the walkers' log-probabilities now; minus infinity before there are any."""
        return float(np.median(self.last)) if self.last.size else -np.inf

    @property
    def left(self) -> float | None:
        """Time that the rest takes at the pace of late, s; None where that is not known."""
        return None if self.pace is None else self.pace * max(0, self.iterations - self.done)

    def job_left(self, now: float) -> float | None:
        """Time until the job ends, s, at a time in s since 1970; None where that is not known."""
        return None if self.job_end is None else max(0.0, self.job_end - now)

    def saved_ago(self, now: float) -> float | None:
        """Age of the last checkpoint, s, at a time in s since 1970; None if there is none."""
        return None if self.saved_at is None else max(0.0, now - self.saved_at)
