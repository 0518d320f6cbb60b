"""Errors of the system that no command expects become one line."""

import errno
import os
from pathlib import Path

import pytest

from espei_hpc import cli
from espei_hpc.exit_codes import ExitCode


def test_directory_that_may_not_be_looked_into_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(tmp_path / "x.run"))

    monkeypatch.setattr(cli.commands, "main", refuse)
    assert cli.main() == ExitCode.CANNOT_CREATE
    assert f"{tmp_path / 'x.run'}: cannot be used (Permission denied)" in capsys.readouterr().err
