"""A disk that takes no more (row 20 of the fault table)."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from espei_hpc.exit_codes import ExitCode
from support import PATIENCE, ROOT

pytestmark = pytest.mark.needs("user namespaces")
ON_A_SMALL_DISK = (
    "unshare",
    *(() if os.geteuid() == 0 else ("--user", "--map-root-user")),
    *("--mount", "sh", "-c"),
    'mount -t tmpfs -o size=700k tmpfs "$1" && exec "$2" -m unit.rundir.full_disk "$1" "$3"',
    "sh",
)
REASONS = {
    "full": "No space left on device",
    "read-only": "Read-only file system",
    "limit": "File too large",
}


@pytest.fixture(scope="module", params=list(REASONS))
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What happened on a disk that refuses; the words of the refusals carry the system's reason."""
    directory: Path = tmp_path_factory.mktemp("small")
    paths = os.pathsep.join(filter(None, (str(ROOT / "tests"), os.environ.get("PYTHONPATH"))))
    command = [*ON_A_SMALL_DISK, directory, sys.executable, request.param]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, env=os.environ | {"PYTHONPATH": paths}
    )
    assert ended.returncode == 0, ended.stderr
    content: dict[str, Any] = json.loads(ended.stdout)
    return content | {"reason": REASONS[request.param]}


def test_fault_20_segment_that_has_no_room_is_refused_in_words(told: dict[str, Any]) -> None:
    code, words = told["store"]
    assert code == ExitCode.CANNOT_CREATE
    done = told["appended"]
    assert f"cannot save iterations {done + 1} to {done + 200} ({told['reason']})" in words
    assert f"the last checkpoint ({done} iterations) is intact" in words
    assert "run the same command again to resume" in words


def test_fault_20_no_temporary_file_is_left_on_the_full_disk(told: dict[str, Any]) -> None:
    assert told["left"] == []


def test_fault_20_what_was_appended_is_whole(told: dict[str, Any]) -> None:
    assert told["kept"]


def test_fault_20_chain_goes_on_once_there_is_room(told: dict[str, Any]) -> None:
    assert told["resumed"]


def test_fault_20_array_for_readers_stays_as_it_was_until_there_is_room(told: dict[str, Any]) -> None:
    code, words = told["array"]
    assert code == ExitCode.CANNOT_CREATE
    assert f"trace.npy: cannot be written ({told['reason']}); the samples are safe in the checkpoint" in words
    assert told["array as before"]
    assert told["array written"]


def test_fault_20_json_stays_as_it_was(told: dict[str, Any]) -> None:
    code, words = told["json"]
    assert code == ExitCode.CANNOT_CREATE
    assert f"run.json: cannot be written ({told['reason']})" in words
    assert told["json as before"]
