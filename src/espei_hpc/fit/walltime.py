"""The fit's own clock: it ends before the job does, with all saved and taken down."""

import math
import time

from espei_hpc.batch import JobEnd
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.figures import duration
from espei_hpc.rundir.record import Record

LEAST_MARGIN = 60.0
TAKE_DOWN_SECONDS = 30.0
"""ESPEI writes its database, the cluster ends, and a launcher that does not is killed."""
SAVINGS = 3
"""The arrays may have grown to three times their size since they were last written."""
MOST_OF_A_SHORT_JOB = 0.1
STARTING_SECONDS = 15.0
"""Until a small cluster is up and has its first evaluations."""


class Walltime:
    """How much longer the fit may run.

    The fit ends as soon as no more is left than

        margin = max(60 s, 30 s + 3 * saving), but at most a tenth of what was left at the start

    where *saving* is the longest that writing a checkpoint and the arrays has taken in this start,
    and 30 s are for all that follows. What is computed of an iteration that does not end is lost, so
    at the end of an iteration the fit ends already if one more, of the mean length, would end later
    than that.

    Args:
        end: when the job ends; None where that is not known.

    Attributes:
        iteration: mean length of an iteration in this start, s; None before the first.
        workers: workers that did them; None before they came.
    """

    def __init__(self, end: JobEnd | None) -> None:
        self._end = end or JobEnd(math.inf, "nobody")
        self._most = MOST_OF_A_SHORT_JOB * max(0.0, self._end.left)
        self._saving = 0.0
        self._since: tuple[float, int] | None = None
        self.iteration: float | None = None
        self.workers: int | None = None

    @property
    def known(self) -> bool:
        """Whether there is an end to be in time for."""
        return math.isfinite(self._end.at)

    @property
    def end(self) -> float | None:
        """When the job ends, s since 1970; None where that is not known."""
        return self._end.at if self.known else None

    def told(self) -> str:
        """Say how much of the job is left."""
        return f"{duration(max(0.0, self._end.left))} of the job are left (known by {self._end.known_by})"

    @property
    def margin(self) -> float:
        """What has to be left when the fit ends, s."""
        return min(self._most, max(LEAST_MARGIN, TAKE_DOWN_SECONDS + SAVINGS * self._saving))

    def saved(self, seconds: float) -> None:
        """Take note of the time that saving takes: a checkpoint and the arrays, s."""
        self._saving = max(self._saving, seconds)

    def sampled(self, done: int) -> None:
        """Take note of the iterations done; the first time as the sampling begins."""
        now = time.monotonic()
        if self._since is None:
            self._since = now, done
        began, before = self._since
        if done > before:
            self.iteration = (now - began) / (done - before)

    def over(self) -> str | None:
        """Return, in words, that the fit has to end now; None if it has not."""
        return self.told() if self._end.left <= self.margin else None

    def over_for_an_iteration(self) -> str | None:
        """Return, in words, that no further iteration should begin; None if one may."""
        iteration = self.iteration or 0.0
        if self._end.left > self.margin + iteration:
            return None
        needed = f"one more iteration ({duration(iteration)}), saving and ending ({duration(self.margin)})"
        return f"{self.told()}, too little for {needed}"

    def check(self, last: Record | None, workers: int | None) -> None:
        """Refuse to start what would end without an iteration done.

        Such a job would use up its allocation for nothing, again and again where it starts itself again.

        Args:
            last: of the last start, which may tell how long iterations are.
            workers: that are to share the work; None where not known.

        Raises:
            Refusal: (UNAVAILABLE) if not even one iteration fits.
        """
        iteration = 0.0
        if last and last.iteration_seconds and last.workers and workers:
            # At best more workers are as many times faster; one that is slower is not refused for that.
            iteration = last.iteration_seconds * min(1.0, last.workers / workers)
        if self._end.left - self.margin >= STARTING_SECONDS + iteration:
            return
        needed = f"starting takes {duration(STARTING_SECONDS)}"
        if iteration:
            needed += f", an iteration {duration(iteration)}"
        needed += f", saving and ending {duration(self.margin)}"
        what = f"{self.told()}, too little for one iteration ({needed})"
        fault = Fault("time", what, "nothing was started; ask for a longer job")
        raise Refusal(ExitCode.UNAVAILABLE, [fault])
