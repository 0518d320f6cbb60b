"""Progress of the fit: a live display on a terminal, an occasional plain line in a batch log."""

import os
import sys
import time
from typing import Protocol

from espei_hpc.fit.live import LiveDisplay
from espei_hpc.fit.log_line import dated
from espei_hpc.rundir import figures
from espei_hpc.sampler.sampling import Sampling
from espei_hpc.text import counted

FIRST_LINE_SECONDS = 1.0
"""A batch log gets lines at increasing intervals: each is twice the one before, up to the longest."""
LONGEST_SILENCE_SECONDS = 600.0


class Display(Protocol):
    """Shows the progress to a person."""

    def report(self, sampling: Sampling) -> None:
        """Show the current progress."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def display() -> Display:
    """Return the display that suits standard output."""
    draws = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    return LiveDisplay() if draws else Lines()


class Lines:
    """Plain lines: at the beginning, after the first iteration, at increasing intervals, at the end."""

    def __init__(self) -> None:
        self._start: float | None = None
        self._done_before = 0
        self._next = 0.0
        self._interval = FIRST_LINE_SECONDS

    def report(self, sampling: Sampling) -> None:
        """Print a line if one is due."""
        # The first report comes as the sampling begins.
        if self._start is None:
            self._start, self._done_before = time.monotonic(), sampling.done
            _print(beginning(sampling))
        elapsed = time.monotonic() - self._start
        over = sampling.done == sampling.iterations or sampling.reached
        if sampling.done > self._done_before and (elapsed >= self._next or over):
            _print(line(sampling, time.time()))
            self._next = elapsed + self._interval
            self._interval = min(2 * self._interval, LONGEST_SILENCE_SECONDS)

    def close(self) -> None:
        """Do nothing."""


def _print(text: str) -> None:
    print(dated(text, sys.stdout), flush=True)


def beginning(sampling: Sampling) -> str:
    """Return the first line of a sampling."""
    done = f"{sampling.done} of {counted(sampling.iterations, 'iteration')} done"
    return "; ".join(filter(None, [f"sampling begins, {done}", figures.pace(sampling)]))


def line(sampling: Sampling, now: float) -> str:
    """Return a progress line.

    Args:
        sampling: the progress of the sampling.
        now: the time, s since 1970.
    """
    parts = [
        f"iteration {sampling.done} of {sampling.iterations}: {figures.numbers(sampling)}",
        figures.pace(sampling),
        figures.workers(sampling),
        figures.goal(sampling),
    ]
    if (job_left := sampling.job_left(now)) is not None:
        parts.append(f"job {figures.duration(job_left)} left")
    if (saved_ago := sampling.saved_ago(now)) is not None:
        parts.append(f"checkpoint {figures.duration(saved_ago)} ago")
    return "; ".join(part for part in parts if part)
