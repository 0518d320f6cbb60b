"""A series of jobs goes on only while it gets on, and not for ever."""

import json
from pathlib import Path

import pytest

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.fit.requeue import decide, leave_answer
from espei_hpc.rundir.record import Record
from espei_hpc.rundir.run_directory import held
from made_starts import run


@pytest.mark.parametrize("code", [ExitCode.STOPPED, ExitCode.UNAVAILABLE, None])
def test_fit_that_was_stopped_killed_or_lost_its_cluster_goes_on(code: int | None, tmp_path: Path) -> None:
    run(tmp_path, 5, code)
    decision = decide(tmp_path, 20)
    assert decision.again
    assert decision.why == "restart 1 of 20: 5 iterations saved, 5 of them new"


def test_fit_that_was_killed_after_one_that_was_stopped_goes_on(tmp_path: Path) -> None:
    run(tmp_path, 5, ExitCode.FAILED)
    run(tmp_path, 5, None)
    assert decide(tmp_path, 20).again


@pytest.mark.parametrize("code", [ExitCode.FAILED, ExitCode.BAD_INPUT, ExitCode.CANNOT_CREATE, 130])
def test_fit_that_failed_does_not_go_on(code: int, tmp_path: Path) -> None:
    run(tmp_path, 5, code)
    decision = decide(tmp_path, 20)
    assert not decision.again
    assert f"ended with exit code {int(code)}" in decision.why


def test_job_in_which_no_iteration_was_done_is_the_last(tmp_path: Path) -> None:
    run(tmp_path, 5, ExitCode.STOPPED)
    assert decide(tmp_path, 20).again
    run(tmp_path, 0, ExitCode.STOPPED)
    decision = decide(tmp_path, 20)
    assert not decision.again
    assert decision.why == "no restart: no progress since the last restart; 5 iterations saved"


def test_series_ends_after_its_number_of_times(tmp_path: Path) -> None:
    for _ in range(3):
        run(tmp_path, 1, ExitCode.STOPPED)
        assert decide(tmp_path, 3).again
    run(tmp_path, 1, ExitCode.STOPPED)
    decision = decide(tmp_path, 3)
    assert not decision.again
    assert "already restarted 3 times" in decision.why
    assert decide(tmp_path, 4).again


def test_finished_fit_ends_the_series(tmp_path: Path) -> None:
    run(tmp_path, 5, ExitCode.OK)
    with held(tmp_path) as directory:
        directory.load()
        directory.finish(5)
    decision = decide(tmp_path, 20)
    assert not decision.again
    assert decision.why == "no restart: the fit is finished (5 iterations)"


def test_finished_fit_with_more_iterations_asked_for_goes_on(tmp_path: Path) -> None:
    test_finished_fit_ends_the_series(tmp_path)
    run(tmp_path, 5, ExitCode.STOPPED)
    assert decide(tmp_path, 20).again


def test_directory_without_a_fit_is_left_as_it_is(tmp_path: Path) -> None:
    decision = decide(tmp_path / "x.run", 20)
    assert not decision.again
    assert not (tmp_path / "x.run").exists()


def test_fit_that_is_still_running_is_not_started_again(tmp_path: Path) -> None:
    run(tmp_path, 5, None)
    with held(tmp_path), pytest.raises(Refusal) as refused:
        decide(tmp_path, 20)
    assert refused.value.code == ExitCode.UNAVAILABLE


def test_answer_that_a_fit_leaves_is_that_of_again(tmp_path: Path) -> None:
    run(tmp_path, 5, ExitCode.STOPPED)
    lines: list[str] = []
    leave_answer(tmp_path, 20, lines.append)
    assert lines == ["restart 1 of 20: 5 iterations saved, 5 of them new"]
    assert (tmp_path / "requeue").read_text() == lines[0] + "\n"


def test_answer_that_a_fit_left_is_given_once_and_counted_once(tmp_path: Path) -> None:
    run(tmp_path, 5, ExitCode.STOPPED)
    leave_answer(tmp_path, 20, lambda _: None)
    assert decide(tmp_path, 20).why.startswith("restart 1 of 20")
    assert decide(tmp_path, 20).why == "no restart: no progress since the last restart; 5 iterations saved"


def test_no_of_a_fit_is_a_no_when_asked_again(tmp_path: Path) -> None:
    run(tmp_path, 5, ExitCode.FAILED)
    leave_answer(tmp_path, 20, lambda _: None)
    assert not decide(tmp_path, 20).again


def test_answer_of_an_earlier_start_is_gone_when_the_next_one_runs(tmp_path: Path) -> None:
    run(tmp_path, 5, ExitCode.STOPPED)
    leave_answer(tmp_path, 20, lambda _: None)
    run(tmp_path, 0, None)
    assert not (tmp_path / "requeue").exists()


def test_fit_that_another_start_holds_leaves_no_answer(tmp_path: Path) -> None:
    run(tmp_path, 5, ExitCode.STOPPED)
    with held(tmp_path):
        leave_answer(tmp_path, 20, lambda _: None)
    assert not (tmp_path / "requeue").exists()


def test_finished_fit_leaves_no_answer(tmp_path: Path) -> None:
    run(tmp_path, 5, ExitCode.OK)
    leave_answer(tmp_path, 20, lambda _: None)
    assert not (tmp_path / "requeue").exists()


def test_count_is_kept_in_a_private_file(tmp_path: Path) -> None:
    run(tmp_path, 5, ExitCode.STOPPED)
    decide(tmp_path, 20)
    path = tmp_path / "run.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["again"] == 1


def test_record_tells_how_the_last_start_ended_and_how_long_its_iterations_were(tmp_path: Path) -> None:
    run(tmp_path, 5, ExitCode.STOPPED)
    record = Record.read(tmp_path)
    assert record is not None
    assert (record.ended, record.iteration_seconds, record.workers) == (75, 1.5, 3)
    run(tmp_path, 5, None)
    record = Record.read(tmp_path)
    assert record is not None
    assert (record.ended, record.iteration_seconds) == (None, 1.5)


def test_run_directory_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    run(tmp_path, 5, None)
    old: dict[str, object] = {
        "fingerprint": {},
        "command": ["espei-mpi"],
        "version": "0.1.0",
        "finished": None,
    }
    (tmp_path / "run.json").write_text(json.dumps(old))
    assert decide(tmp_path, 20).again
