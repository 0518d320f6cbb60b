"""The command's words: which runs, which exit code, and all that is missing at once."""

import json
from pathlib import Path

import click
import pytest

from espei_hpc.cli import commands
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from made_starts import run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the runs a and b."""
    for name, code in (("a", 75), ("b", 1)):
        (tmp_path / f"{name}.yaml").write_text("mcmc: {iterations: 30}\n")
        (tmp_path / f"{name}.run").mkdir()
        run(tmp_path / f"{name}.run", 5, code)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def status(*words: str) -> None:
    commands.main(["status", *words], standalone_mode=False)


def test_every_run_of_the_directory_is_told_in_a_table_where_none_is_named(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status()
    titles, first, second = capsys.readouterr().out.splitlines()
    assert titles.split()[:4] == ["run", "state", "iterations", "%"]
    assert first.split()[:4] == ["a.run", "stopped", "5/30", "17%"]
    assert second.split()[:4] == ["b.run", "failed", "5/30", "17%"]


def test_one_run_is_told_in_words(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status("a.run")
    assert capsys.readouterr().out.startswith("a.run: stopped (exit code 75), 5 of 30 iterations saved")


def test_watching_ends_with_the_last_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status("--watch", "0.1", "a.run")
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_word_behind_watch_that_is_no_number_is_a_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status("--watch", "b.run", "a.run")
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told] == ["run", "b.run", "a.run"]


@pytest.mark.parametrize("words", [("--watch", "0"), ("--watch", "nan"), ("--watch", "1", "--json")])
def test_what_cannot_be_watched_is_refused(words: tuple[str, ...], here: Path) -> None:
    with pytest.raises(click.UsageError):
        status(*words)


def test_run_that_is_not_there_is_not_watched(here: Path) -> None:
    with pytest.raises(Refusal) as refused:
        status("--watch", "1", "none.run", "a.run")
    assert refused.value.code == ExitCode.BAD_INPUT


def test_directory_without_runs_is_said_to_have_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    status()
    told = capsys.readouterr()
    assert told.out == ""
    assert "no *.run in this directory" in told.err


def test_all_that_is_missing_is_told_at_once_and_the_others_all_the_same(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Refusal) as refused:
        status("none.yaml", "a.yaml", "none.run")
    assert refused.value.code == ExitCode.BAD_INPUT
    assert [fault.where for fault in refused.value.faults] == ["none.yaml", "none.run"]
    assert capsys.readouterr().out.startswith("a.yaml: stopped")


def test_for_a_program_it_is_a_list(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status("--json", "b.run")
    (told,) = json.loads(capsys.readouterr().out)
    assert told["state"] == "failed"
    assert (told["saved"], told["asked"], told["ended"]) == (5, 30, 1)
    assert told["run"]["directory"] == "b.run"
    assert told["holding"] is None
    assert told["cluster"] is None
    assert told["progress"] is None
