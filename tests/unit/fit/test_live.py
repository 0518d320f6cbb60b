"""What a terminal gets to see."""

import io
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from rich.console import Console

from espei_hpc.fit import progress
from espei_hpc.fit.live import LiveDisplay, drawn, rows
from espei_hpc.sampler.sampling import Sampling

NOW = 1_700_000_000.0
LAST = np.array([-5.0, -6.0, -7.0, -8.0])


def sampling() -> Sampling:
    return Sampling(
        iterations=1000,
        done=350,
        start=np.full(4, -9.0),
        best=-5.0,
        last=LAST,
        acceptance=0.25,
        workers=19,
        pace=0.2,
        busy=0.937,
        job_end=NOW + 2 * 3600,
        saved_at=NOW - 12,
    )


def text(shown: Sampling, **options: object) -> str:
    console = Console(record=True, file=io.StringIO(), width=100, **options)  # type: ignore[arg-type]
    console.print(drawn(shown, NOW))
    return console.export_text()


def test_every_figure_is_shown() -> None:
    told = text(sampling())
    for figure in (
        "350 of 1000 iterations, 35%",
        "best -5.00, median -6.50",
        "acceptance       0.25",
        "0.2 s per iteration, 2 min left",
        "19 workers, 94% busy",
        "2 h 0 min left",
        "12 s ago",
    ):
        assert figure in told
    assert "━" in told


def test_what_is_not_known_is_left_out() -> None:
    shown = Sampling(iterations=1000, done=350, best=-5.0, last=LAST, acceptance=0.25)
    assert [name for name, _ in rows(shown, NOW)] == ["log-probability", "acceptance"]


def test_before_the_first_iteration_no_number_stands_for_one_that_is_not_there() -> None:
    told = text(Sampling(iterations=1000, workers=3))
    assert "0 of 1000 iterations, 0%" in told
    assert "starting walkers" in told
    assert "inf" not in told


def test_before_there_is_a_pace_it_says_that_workers_prepare() -> None:
    told = text(Sampling(iterations=1000, workers=3, preparing=True))
    assert "workers are preparing, time left unknown" in told


def test_it_fits_a_narrow_terminal() -> None:
    console = Console(file=io.StringIO(), width=60)
    lines = console.render_lines(drawn(sampling(), NOW))
    assert all(sum(segment.cell_length for segment in line) <= 60 for line in lines)


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=100)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_ages_go_on_while_no_iteration_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    console, now = terminal(), NOW
    monkeypatch.setattr(time, "time", lambda: now)
    display = LiveDisplay(console)
    display.report(sampling())
    now += 30
    display.close()
    assert "42 s ago" in printed(console)


def test_the_cursor_is_shown_all_the_time_and_in_the_end() -> None:
    console = terminal()
    display = LiveDisplay(console)
    display.report(sampling())
    assert printed(console).rfind("\x1b[?25h") > printed(console).rfind("\x1b[?25l")
    display.close()
    assert printed(console).rfind("\x1b[?25h") > printed(console).rfind("\x1b[?25l")
    assert printed(console).endswith("\n") or printed(console).endswith("\x1b[?25h")


@contextmanager
def loud_logger() -> Iterator[logging.Logger]:
    """Have a logger like ESPEI's: its handler has the stream of its beginning."""
    logger = logging.getLogger("a logger of somebody")
    handler = logging.StreamHandler(sys.stderr)
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)


class OfTerminal(io.StringIO):
    """A stream that is a terminal's."""

    def isatty(self) -> bool:
        return True


def test_whatever_is_printed_or_logged_meanwhile_goes_through_the_display(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    console, out, err = terminal(), OfTerminal(), OfTerminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with loud_logger() as logger:
        display = LiveDisplay(console)
        display.report(sampling())
        logger.warning("logged")
        print("printed")
        print("said aside", file=sys.stderr)
        display.close()
        for text in ("logged", "printed", "said aside"):
            assert text in printed(console)
        assert not out.getvalue() + err.getvalue()
        logger.warning("logged afterwards")
    assert err.getvalue() == "logged afterwards\n"


def test_what_goes_to_a_file_is_not_drawn_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console = terminal()
    with loud_logger() as logger:
        display = LiveDisplay(console)
        display.report(sampling())
        logger.warning("logged")
        display.close()
    assert "logged" not in printed(console)
    assert capsys.readouterr().err == "logged\n"


def test_without_colours_where_they_are_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = terminal()
    console.print(drawn(sampling(), NOW))
    assert "\x1b[3" not in printed(console)


@pytest.mark.parametrize(
    ("terminal", "kind", "shows"),
    [(True, "xterm", LiveDisplay), (True, "dumb", progress.Lines), (False, "xterm", progress.Lines)],
)
def test_only_a_terminal_that_can_be_drawn_on_is(
    terminal: bool, kind: str, shows: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    monkeypatch.setenv("TERM", kind)
    assert isinstance(progress.display(), shows)
