"""Telling how far the fit is: live on a terminal, a plain line now and then in a batch log."""

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
"""A batch log gets a line at growing intervals, each twice the one before, up to the longest."""
LONGEST_SILENCE_SECONDS = 600.0


class Display(Protocol):
    """Shows the sampling to a person."""

    def report(self, sampling: Sampling) -> None:
        """Take note of one more iteration."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def display() -> Display:
    """Return the display that fits where the output goes."""
    draws = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    return LiveDisplay() if draws else Lines()


class Lines:
    """Plain lines: the beginning, the first iteration, then at growing intervals, and the last."""

    def __init__(self) -> None:
        self._start: float | None = None
        self._done_before = 0
        self._next = 0.0
        self._interval = FIRST_LINE_SECONDS

    def report(self, sampling: Sampling) -> None:
        """Print a line if it is time for one."""
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
        """Nothing to leave."""


def _print(text: str) -> None:
    print(dated(text, sys.stdout), flush=True)


def beginning(sampling: Sampling) -> str:
    """Return the line with which a sampling begins."""
    done = f"{sampling.done} of {counted(sampling.iterations, 'iteration')} done"
    return "; ".join(filter(None, [f"sampling begins, {done}", figures.pace(sampling)]))


def line(sampling: Sampling, now: float) -> str:
    """Return the line of a sampling.

    Args:
        sampling: what is known of it.
        now: the time, s since 1970.
    """
    told = [
        f"iteration {sampling.done} of {sampling.iterations}: {figures.numbers(sampling)}",
        figures.pace(sampling),
        figures.workers(sampling),
        figures.goal(sampling),
    ]
    if (job_left := sampling.job_left(now)) is not None:
        told.append(f"job {figures.duration(job_left)} left")
    if (saved_ago := sampling.saved_ago(now)) is not None:
        told.append(f"checkpoint {figures.duration(saved_ago)} ago")
    return "; ".join(part for part in told if part)
