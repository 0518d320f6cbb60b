"""Telling how far the fit is: a bar on a terminal, a plain line now and then in a batch log."""

import sys
import time
from typing import Protocol

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from espei_hpc.fit.sampling import Sampling

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
    return Bar() if sys.stdout.isatty() else Lines()


def numbers(sampling: Sampling) -> str:
    """Say in one line where the walkers are."""
    if not sampling.done:
        return "starting walkers"
    return (
        f"log-probability best {sampling.best:.2f}, median {np.median(sampling.last):.2f}; "
        f"acceptance {sampling.acceptance:.2f}"
    )


class Bar:
    """A progress bar."""

    def __init__(self) -> None:
        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
        self._progress = Progress(*columns, console=Console(highlight=False))
        self._task = self._progress.add_task("", total=None)

    def report(self, sampling: Sampling) -> None:
        """Move the bar."""
        self._progress.start()
        self._progress.update(
            self._task, total=sampling.iterations, completed=sampling.done, description=numbers(sampling)
        )

    def close(self) -> None:
        """Leave the bar where it is and go to the next line."""
        self._progress.stop()


class Lines:
    """Plain lines: the first iterations, then at growing intervals, and the last."""

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
        elapsed = time.monotonic() - self._start
        if sampling.done > self._done_before and (
            elapsed >= self._next or sampling.done == sampling.iterations
        ):
            self._print(sampling, elapsed)
            self._next = elapsed + self._interval
            self._interval = min(2 * self._interval, LONGEST_SILENCE_SECONDS)

    def close(self) -> None:
        """Nothing to leave."""

    def _print(self, sampling: Sampling, elapsed: float) -> None:
        pace = elapsed / (sampling.done - self._done_before)
        left = pace * (sampling.iterations - sampling.done)
        print(
            f"iteration {sampling.done} of {sampling.iterations}: {numbers(sampling)}; "
            f"{pace:.3g} s an iteration, {duration(left)} left",
            flush=True,
        )


def duration(seconds: float) -> str:
    """Write a time as people say it: ``12 s``, ``3 min``, ``5 h 20 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
