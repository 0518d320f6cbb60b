"""Several runs at a glance, and when there is nothing more to see."""

import io
import time
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from espei_hpc.cli.status import _drawn
from espei_hpc.rundir.progress_file import Progress
from espei_hpc.rundir.run_directory import held
from espei_hpc.rundir.status import FitState, Run, Status, lines, look, table
from espei_hpc.rundir.status.table import COLUMNS
from espei_hpc.rundir.status.watching import RESTART_SECONDS, Ending
from made_starts import run

PROGRESS = Progress(
    iteration=350,
    iterations=1000,
    best=-163.3168,
    median=-170.0,
    acceptance=0.42,
    seconds_per_iteration=0.5,
    workers=19,
    efficiency=0.94,
    job_end=time.time() + 7230,
    time=time.time(),
)


def status(name: str, state: FitState, *, progress: Progress | None = PROGRESS) -> Status:
    run = Run(name, Path(name), None)
    return Status(run, state, 340, 12.0, 1000, None, None, None, progress)


def test_each_run_has_a_row_below_the_titles() -> None:
    titles, sampling, stopped, never = table(
        [
            status("a.run", FitState.SAMPLING),
            status("longer-name.run", FitState.STOPPED),
            replace(status("b.run", FitState.NEVER, progress=None), saved=0, saved_ago=None, asked=None),
        ]
    )
    assert titles.split() == [*COLUMNS]
    assert " ".join(sampling.split()) == "a.run sampling 350/1000 35% -163.32 0.42 0.5 5 min 19 12 s ago"
    assert " ".join(stopped.split()) == "longer-name.run stopped 340/1000 34% -163.32 0.42 0.5 - - 12 s ago"
    assert " ".join(never.split()) == "b.run never started 0 - - - - - - -"


def test_columns_are_aligned() -> None:
    titles, *rows = table([status("a.run", FitState.SAMPLING), status("longer-name.run", FitState.FINISHED)])
    for row in rows:
        assert row.index("-163.32") + len("-163.32") == titles.index("best") + len("best")


def test_terminal_gets_the_same_cells() -> None:
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(_drawn([status("a[b].run", FitState.SAMPLING), status("b.run", FitState.FAILED)]))
    told = console.export_text()
    for cell in ("a[b].run", "sampling", "350/1000", "-163.32", "5 min", "12 s ago", "failed"):
        assert cell in told


def test_figures_of_a_fit_that_runs_are_told(tmp_path: Path) -> None:
    run(tmp_path, 5, None)
    (tmp_path / "progress.json").write_text(
        '{"iteration": 7, "iterations": 30, "best": -3.5, "acceptance": 0.5, "seconds_per_iteration": 2,'
        ' "workers": 3, "efficiency": 0.875}'
    )
    with held(tmp_path):
        seen = look(Run("x", tmp_path, None))
    assert seen.done == 7
    assert lines(seen)[1].strip() == (
        "iteration 7, log-probability best -3.50, acceptance 0.50, 2 s per iteration, 46 s left, "
        "3 workers, 88% busy"
    )


def test_fit_whose_workers_prepare_is_said_to_have_no_pace_yet(tmp_path: Path) -> None:
    run(tmp_path, 5, None)
    (tmp_path / "progress.json").write_text('{"iteration": 1, "iterations": 30, "workers": 1}')
    with held(tmp_path):
        seen = look(Run("x", tmp_path, None))
    assert lines(seen)[1].strip() == "iteration 1, workers are preparing, time left unknown, 1 worker"


def test_figures_that_nobody_can_read_are_left_out(tmp_path: Path) -> None:
    run(tmp_path, 5, 75)
    (tmp_path / "progress.json").write_text("{")
    assert look(Run("x", tmp_path, None)).progress is None


@pytest.mark.parametrize("state", [FitState.SAMPLING, FitState.BEGINNING, FitState.NEVER, FitState.CLUSTER])
def test_as_long_as_a_run_goes_on_or_is_to_begin_there_is_something_to_see(state: FitState) -> None:
    assert not Ending().reached([status("a", FitState.FINISHED), status("b", state)], 0.0)


@pytest.mark.parametrize("state", [FitState.FINISHED, FitState.STOPPED, FitState.FAILED])
def test_when_all_have_ended_there_is_not(state: FitState) -> None:
    assert Ending().reached([status("a", FitState.FINISHED), status("b", state)], 0.0)


def test_lost_cluster_is_given_time_to_be_started_again() -> None:
    lost, sampling = status("a", FitState.LOST), status("a", FitState.SAMPLING)
    ending = Ending()
    assert not ending.reached([lost], 0.0)
    assert not ending.reached([sampling], RESTART_SECONDS)
    assert not ending.reached([lost], 2 * RESTART_SECONDS)
    assert ending.reached([lost], 3 * RESTART_SECONDS)
