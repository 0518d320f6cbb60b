"""How far the fit is, on a terminal: some lines that are drawn anew four times a second."""

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
    """A bar and the figures below it; what is printed or logged meanwhile is put above them.

    Args:
        console: where to draw; None for standard output.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._sampling = Sampling()
        self._live = Live(
            console=self._console,
            get_renderable=self._drawn,
            # What goes to a file is no concern of the terminal's.
            redirect_stderr=sys.stderr.isatty(),
        )
        self._moved: dict[TextIO, TextIO] = {}

    def report(self, sampling: Sampling) -> None:
        """Show a sampling from now on: what changes in it is seen, whether it is told or not."""
        self._sampling = sampling
        if not self._live.is_started:
            before = log_streams.standard()
            self._live.start(refresh=True)
            self._moved = dict(zip(before, log_streams.standard(), strict=True))
            log_streams.move(self._moved)
            # It stays to be seen: whoever is killed could not bring it back.
            self._console.show_cursor(True)

    def close(self) -> None:
        """Leave the figures as they are and go to the next line."""
        self._live.stop()
        log_streams.move({ours: theirs for theirs, ours in self._moved.items()})

    def _drawn(self) -> RenderableType:
        return drawn(self._sampling, time.time())


def drawn(sampling: Sampling, now: float) -> RenderableType:
    """Draw a sampling.

    Args:
        sampling: what is known of it.
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
    """Return name and value of each figure that is known.

    Args:
        sampling: what is known of it.
        now: the time, s since 1970.
    """
    walkers = (
        [
            ("log-probability", f"best {sampling.best:.2f}, median {sampling.median:.2f}"),
            ("acceptance", f"{sampling.acceptance:.2f}"),
        ]
        if sampling.done
        else [("log-probability", "of the starting walkers is being evaluated")]
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
