"""Progress of the fit on a terminal: a few lines, redrawn four times a second."""

import sys
import time
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from espei_hpc.fit import log_streams
from espei_hpc.rundir import figures
from espei_hpc.sampler.sampling import Sampling
from espei_hpc.text import counted

BAR_WIDTH = 40


class LiveDisplay:
    """A progress bar with figures below it; printed and logged lines appear above them.

    Args:
        console: where to draw; None for standard output.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._sampling = Sampling()
        self._live = Live(
            console=self._console,
            get_renderable=self._drawn,
            # Standard error may go to a file; then it does not disturb the display.
            redirect_stderr=sys.stderr.isatty(),
        )
        self._moved: dict[TextIO, TextIO] = {}

    def report(self, sampling: Sampling) -> None:
        """Show a sampling from now on; later changes of it are shown without another call."""
        self._sampling = sampling
        if not self._live.is_started:
            before = log_streams.standard()
            self._live.start(refresh=True)
            self._moved = dict(zip(before, log_streams.standard(), strict=True))
            log_streams.move(self._moved)
            # Keep the cursor visible: a killed process could not restore it.
            self._console.show_cursor(True)

    def close(self) -> None:
        """Leave the last figures on the terminal and move to the next line."""
        self._live.stop()
        log_streams.move({ours: theirs for theirs, ours in self._moved.items()})

    def _drawn(self) -> RenderableType:
        return drawn(self._sampling, time.time())


def drawn(sampling: Sampling, now: float) -> RenderableType:
    """Draw the progress of a sampling.

    Args:
        sampling: its progress.
        now: the time, s since 1970.
    """
    total = max(1, sampling.iterations)
    bar = Table.grid(padding=(0, 2))
    bar.add_row(
        ProgressBar(total, sampling.done, width=BAR_WIDTH),
        f"{sampling.done} of {counted(sampling.iterations, 'iteration')}, {sampling.done / total:.0%}",
    )
    table = Table.grid(padding=(0, 2))
    for name, value in rows(sampling, now):
        table.add_row(f"[dim]{name}[/dim]", value)
    return Group(bar, table)


def rows(sampling: Sampling, now: float) -> list[tuple[str, str]]:
    """Return the name and value of each figure that is known.

    Args:
        sampling: progress of the sampling.
        now: the time, s since 1970.
    """
    walkers = (
        [
            ("log-probability", f"best {sampling.best:.2f}, median {sampling.median:.2f}"),
            ("acceptance", f"{sampling.acceptance:.2f}"),
        ]
        if sampling.done
        else [("log-probability", "evaluating the starting walkers")]
    )
    job_left, saved_ago = sampling.job_left(now), sampling.saved_ago(now)
    others = {
        "goal": figures.goal(sampling),
        "pace": figures.pace(sampling),
        "cluster": figures.workers(sampling),
        "job": None if job_left is None else f"{figures.duration(job_left)} left",
        "checkpoint": None if saved_ago is None else f"{figures.duration(saved_ago)} ago",
    }
    return walkers + [(name, value) for name, value in others.items() if value is not None]
