"""Run fits with the users' commands, and record the times of their output lines."""

import re
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from case import INPUT
from processes import BIN, child, end

LIMIT = 600.0
"""Seconds after which a fit is given up."""

STOCK_BEGINS = "Running MCMC for"
STOCK_ITERATION = re.compile(r"\((\d+) of (\d+)\)")
OURS_BEGINS = "sampling begins"
OURS_ITERATION = re.compile(r"iteration (\d+) of (\d+):")


@dataclass
class Fit:
    """What a fit took.

    Attributes:
        whole: seconds of the whole command.
        sampling: seconds from the beginning of the sampling, the starting walkers' evaluation
            included, to the end of the last iteration.
        iterations: those sampled, and one for the starting walkers.
        began: when the sampling began, by the monotonic clock.
    """

    whole: float
    sampling: float
    iterations: int
    began: float

    @property
    def seconds_per_iteration(self) -> float:
        """Seconds of one iteration."""
        return self.sampling / self.iterations


def stock(directory: Path) -> Fit:
    """Run ``espei``; its input names the scheduler file."""
    begin, over, came = _run([BIN / "espei", "--in", INPUT], directory)
    began = next(when for when, line in came if STOCK_BEGINS in line)
    when, found = [(when, found) for when, line in came if (found := STOCK_ITERATION.search(line))][-1]
    return Fit(over - begin, when - began, int(found[1]) + 1, began)


def ours(directory: Path, scheduler_file: Path, workers: int) -> Fit:
    """Run ``espei-hpc fit``."""
    words: list[str | Path] = [BIN / "espei-hpc", "fit", "--in", INPUT]
    words += ["--scheduler-file", scheduler_file, "-w", str(workers)]
    begin, over, came = _run(words, directory)
    began = next(when for when, line in came if OURS_BEGINS in line)
    when, found = [(when, found) for when, line in came if (found := OURS_ITERATION.search(line))][-1]
    return Fit(over - begin, when - began, int(found[1]) + 1, began)


def _run(words: list[str | Path], directory: Path) -> tuple[float, float, list[tuple[float, str]]]:
    """Run a command to its end; return when it began and ended, and its lines with their times."""
    begin = time.monotonic()
    came = list(lines(words, directory))
    return begin, time.monotonic(), came


def lines(words: list[str | Path], directory: Path) -> Iterator[tuple[float, str]]:
    """Run a command, and yield its lines with their times.

    It is killed when the caller stops reading, or after a timeout.

    Raises:
        RuntimeError: if it fails.
    """
    last: deque[str] = deque(maxlen=20)
    with child(*words, cwd=directory, output=subprocess.PIPE) as process:
        timer = threading.Timer(LIMIT, end, [process])
        timer.start()
        try:
            for line in process.stdout or ():
                last.append(line.decode(errors="replace").rstrip())
                yield time.monotonic(), last[-1]
            code = process.wait()
        finally:
            timer.cancel()
    if code != 0:
        raise RuntimeError(f"{words[0]} ended with {code}:\n" + "\n".join(last))
