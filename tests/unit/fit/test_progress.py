"""What a batch log gets to see."""

import re
from datetime import datetime

import numpy as np
import pytest

from espei_hpc.fit import progress
from espei_hpc.rundir import figures
from espei_hpc.sampler.sampling import Sampling

LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (.*)")


def texts(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return what was printed, without date and time."""
    return [LINE.sub(r"\2", line) for line in capsys.readouterr().out.splitlines()]


def sampling(done: int, iterations: int) -> Sampling:
    """Make a sampling of four walkers."""
    return Sampling(iterations, done, np.full(4, -9.0), -5.0, np.array([-5.0, -6.0, -7.0, -8.0]), 0.25)


def test_first_and_last_iteration_are_always_told(capsys: pytest.CaptureFixture[str]) -> None:
    lines = progress.Lines()
    for done in range(1001):
        lines.report(sampling(done, 1000))
    began, *printed = texts(capsys)
    assert began == "sampling begins, 0 of 1000 iterations done"
    assert printed[0].startswith(
        "iteration 1 of 1000: log-probability best -5.00, median -6.50; acceptance 0.25"
    )
    assert printed[-1].startswith("iteration 1000 of 1000")


def test_lines_of_a_log_begin_with_date_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    before = datetime.now().replace(microsecond=0)
    progress.Lines().report(sampling(0, 1000))
    (written,) = (LINE.fullmatch(line) for line in capsys.readouterr().out.splitlines())
    assert written
    assert before <= datetime.fromisoformat(written[1]) <= datetime.now()


def test_lines_on_a_terminal_have_no_date(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    progress.Lines().report(sampling(0, 1000))
    assert capsys.readouterr().out == "sampling begins, 0 of 1000 iterations done\n"


def test_lines_grow_rarer(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    lines = progress.Lines()
    for done in range(4 * 3600):
        now = 1.0 + done
        lines.report(sampling(done, 1_000_000))
    assert 20 < len(capsys.readouterr().out.splitlines()) < 50


def test_line_has_the_figures_of_the_display() -> None:
    known = sampling(350, 1000)
    known.workers, known.mean, known.pace, known.busy = 1, 0.2, 0.19, 0.937
    known.job_end, known.saved_at = 7300.0, 88.0
    told = progress.line(known, 100.0)
    assert told == (
        "iteration 350 of 1000: log-probability best -5.00, median -6.50; acceptance 0.25; "
        "0.2 s per iteration, 0.19 s recently, 2 min left; 1 worker, 94% busy; job 2 h 0 min left; "
        "checkpoint 12 s ago"
    )


def test_line_leaves_out_what_is_not_known() -> None:
    told = progress.line(sampling(350, 1000), 100.0)
    assert told.endswith("acceptance 0.25")


def test_pace_is_told_once_where_it_is_that_of_late() -> None:
    known = sampling(350, 1000)
    known.mean, known.pace = 5.111, 5.112
    assert progress.line(known, 100.0).endswith("; 5.11 s per iteration, 55 min left")


def test_no_time_is_told_while_workers_prepare() -> None:
    preparing = sampling(2, 1000)
    preparing.preparing = True
    assert progress.line(preparing, 100.0).endswith("; workers are preparing, time left unknown")


@pytest.mark.parametrize(
    ("seconds", "text"), [(12, "12 s"), (99.4, "99 s"), (180, "3 min"), (19_200, "5 h 20 min")]
)
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert figures.duration(seconds) == text
