"""The job behind an array of fits says which are finished."""

from dataclasses import replace
from pathlib import Path

import pytest

from espei_hpc.batch.scripts.finished import look
from espei_hpc.cli import commands
from espei_hpc.rundir.record import Record

RECORD = Record({}, ("espei-mpi",), "0")


def write(path: Path, record: Record) -> Path:
    directory = path / "x.run"
    directory.mkdir(parents=True)
    record.write(directory)
    return path / "x.yaml"


def test_finished_fit_is_finished(tmp_path: Path) -> None:
    path = write(tmp_path, replace(RECORD, finished=30, ended=0))
    assert look(path) == (True, f"{path}: finished, with 30 iterations")


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (replace(RECORD, ended=75), "its last start ended with exit code 75"),
        (replace(RECORD, ended=None), "its last start was killed, or is still running"),
        (replace(RECORD, finished=30, ended=75), "its last start ended with exit code 75"),
    ],
)
def test_fit_that_is_not_finished_is_told_with_its_end(record: Record, told: str, tmp_path: Path) -> None:
    path = write(tmp_path, record)
    assert look(path) == (False, f"{path}: not finished: {told}")


def test_fit_that_never_began_is_not_finished(tmp_path: Path) -> None:
    done, line = look(tmp_path / "x.yaml")
    assert not done
    assert "was not started" in line


def test_exit_code_is_zero_only_if_all_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = write(tmp_path / "a", replace(RECORD, finished=30, ended=0))
    stopped = write(tmp_path / "b", replace(RECORD, ended=75))
    assert commands.main(["job", "finished", str(done), str(stopped)], standalone_mode=False) == 1
    assert capsys.readouterr().out.endswith("1 of 2 fits are finished\n")
    assert commands.main(["job", "finished", str(done)], standalone_mode=False) == 0
