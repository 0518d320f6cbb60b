"""Private JSON files."""

import json
import stat
from pathlib import Path

import pytest

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.files import write_json


def test_json_is_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    for content in ({"a": [1, 2.5, None]}, {"b": "µ"}):
        write_json(path, content)
        assert json.loads(path.read_text()) == content
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [left.name for left in tmp_path.iterdir()] == ["run.json"]


def test_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="No such file or directory") as refused:
        write_json(tmp_path / "gone" / "run.json", {})
    assert refused.value.code == ExitCode.CANNOT_CREATE
