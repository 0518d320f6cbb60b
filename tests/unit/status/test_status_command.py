"""The command's words: which runs, which exit code, and all that is missing at once."""

import json
from pathlib import Path

import pytest

from espei_hpc.cli import commands
from espei_hpc.exit_codes import ExitCode
from espei_hpc.faults import Refusal
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


def test_every_run_of_the_directory_is_told_where_none_is_named(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status()
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("a.run: stopped (exit code 75), 5 of 30 iterations saved")
    assert second.startswith("b.run: failed (exit code 1), 5 of 30 iterations saved")


def test_directory_without_runs_is_said_to_have_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    status()
    told = capsys.readouterr()
    assert told.out == ""
    assert "no *.run is here" in told.err


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
