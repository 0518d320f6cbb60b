"""The fit's walltime: it ends before the job does, with everything saved and the cluster ended."""

import math
import os
import time
from pathlib import Path

from espei_hpc.batch import JobEnd
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.figures import duration
from espei_hpc.rundir.record import Record

LEAST_MARGIN = 60.0
"""For nodes that were idle when the fit started, and are busy when it ends."""
TAKE_DOWN_SECONDS = 30.0
"""For ESPEI to write its database, the cluster to end, a launcher that hangs to be killed, and the job script
to submit the next job."""
SAVINGS = 3
"""The arrays may have grown to three times their size since they were last written."""
STARTS = 2
"""Job scripts of earlier versions start the image again to ask ``espei-hpc again``; the other is for what is
loaded first when a fit ends, from the same disk."""
MOST_OF_A_SHORT_JOB = 0.5
STARTING_SECONDS = 15.0
"""Time until a small cluster is ready and has its first results."""


class Walltime:
    """How much longer the fit may run.

    The fit ends when the time left is down to

        margin = max(60 s, 30 s + 3 * saving + 2 * starting), but at most half of the time left at the start

    where *saving* is the longest time to write a checkpoint and the arrays in this start, and 30 s
    are for everything that follows. An unfinished iteration is lost, so the fit already ends at the
    end of an iteration if another one of mean length would not finish in time.

    Args:
        end: when the job ends; None if unknown.
        starting: time from the start of this process, and of its container, until ESPEI was loaded, s.

    Attributes:
        iteration: mean time per iteration in this start, s; None before the first.
        workers: number of workers; None before they have joined.
    """

    def __init__(self, end: JobEnd | None, starting: float = 0.0) -> None:
        self._end = end or JobEnd(math.inf, "nobody")
        self._most = MOST_OF_A_SHORT_JOB * max(0.0, self._end.left)
        self._saving = 0.0
        self._starting = starting
        self._since: tuple[float, int] | None = None
        self.iteration: float | None = None
        self.workers: int | None = None

    @property
    def known(self) -> bool:
        """Whether the end of the job is known."""
        return math.isfinite(self._end.at)

    @property
    def end(self) -> float | None:
        """When the job ends, s since 1970; None if unknown."""
        return self._end.at if self.known else None

    def describe(self) -> str:
        """Return the walltime left, for a message."""
        return f"{duration(max(0.0, self._end.left))} of walltime left (according to {self._end.known_by})"

    @property
    def margin(self) -> float:
        """Time that must be left when the fit ends, s."""
        needed = TAKE_DOWN_SECONDS + SAVINGS * self._saving + STARTS * self._starting
        return min(self._most, max(LEAST_MARGIN, needed))

    def saved(self, seconds: float) -> None:
        """Record the time to save a checkpoint and the arrays, s."""
        self._saving = max(self._saving, seconds)

    def sampled(self, done: int) -> None:
        """Record the number of finished iterations; first called when the sampling begins."""
        now = time.monotonic()
        if self._since is None:
            self._since = now, done
        began, before = self._since
        if done > before:
            self.iteration = (now - began) / (done - before)

    def over(self) -> str | None:
        """Return why the fit has to end now, for a message; None if it need not."""
        return self.describe() if self._end.left <= self.margin else None

    def over_for_an_iteration(self) -> str | None:
        """Return why no further iteration should begin, for a message; None if one may."""
        iteration = self.iteration or 0.0
        if self._end.left > self.margin + iteration:
            return None
        needed = f"one more iteration ({duration(iteration)}), saving and ending ({duration(self.margin)})"
        return f"{self.describe()}, not enough for {needed}"

    def check(self, last: Record | None, workers: int | None) -> None:
        """Refuse to start a fit that would end before its first iteration.

        Such a job would waste its allocation, again and again if it requeues itself.

        Args:
            last: record of the last start, which may have the time per iteration.
            workers: number of workers; None if unknown.

        Raises:
            Refusal: (UNAVAILABLE) if not even one iteration fits.
        """
        iteration = 0.0
        if last and last.iteration_seconds and last.workers and workers:
            # Assume perfect scaling with more workers; do not refuse because of fewer.
            iteration = last.iteration_seconds * min(1.0, last.workers / workers)
        if self._end.left - self.margin >= STARTING_SECONDS + iteration:
            return
        needed = f"starting takes {duration(STARTING_SECONDS)}"
        if iteration:
            needed += f", an iteration {duration(iteration)}"
        needed += f", saving and ending {duration(self.margin)}"
        what = f"{self.describe()}, not enough for one iteration ({needed})"
        fault = Fault("time", what, "nothing was started; request more walltime")
        raise Refusal(ExitCode.UNAVAILABLE, [fault])


def age_of_this_process() -> float:
    """Return the time since this process began, s, as the container engine that became this program."""
    # Field 22 of proc_pid_stat(5); the name, in parentheses, may contain spaces. psutil's answer is about a
    # second off, because it is a time of day.
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
