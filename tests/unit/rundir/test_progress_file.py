"""What those who look at a run directory from elsewhere find in it."""

import json
import resource
import time
from pathlib import Path

import numpy as np
import pytest

from espei_hpc.rundir.progress_file import NAME, SECONDS, Progress, ProgressFile
from espei_hpc.sampler.sampling import Sampling

SAMPLING = Sampling(
    iterations=1000,
    done=350,
    start=np.full(4, -9.0),
    best=-5.0,
    last=np.array([-5.0, -6.0, -7.0, -8.0]),
    acceptance=0.25,
    workers=19,
    pace=0.5,
    busy=0.9,
    job_end=2e9,
)


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    ProgressFile(tmp_path).write(SAMPLING)
    read = Progress.read(tmp_path)
    assert read is not None
    assert read == Progress(350, 1000, -5.0, -6.5, 0.25, 0.5, 19, 0.9, 2e9, read.time)
    assert read.left == 325.0


def test_it_is_for_its_owner_alone_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    ProgressFile(tmp_path).write(SAMPLING)
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_it_is_whole_json_before_there_is_any_number(tmp_path: Path) -> None:
    ProgressFile(tmp_path).write(Sampling(iterations=10))
    told = json.loads((tmp_path / NAME).read_text())
    assert (told["best"], told["median"], told["acceptance"]) == (None, None, None)
    assert Progress.read(tmp_path) is not None


def test_it_is_written_every_few_seconds_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, written = 1000.0, 0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    file = ProgressFile(tmp_path)
    for _ in range(100):
        file.write_if_due(SAMPLING)
        if (tmp_path / NAME).exists():
            (tmp_path / NAME).unlink()
            written += 1
        now += SECONDS / 10
    assert written == 10


def test_a_file_system_that_refuses_does_not_hinder_the_fit(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for directory in (tmp_path / "none", tmp_path / "file"):
        ProgressFile(directory).write(SAMPLING)
    (tmp_path / NAME).mkdir()
    ProgressFile(tmp_path).write(SAMPLING)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", NAME]


def test_a_full_disk_leaves_what_was_written_before(tmp_path: Path) -> None:
    file = ProgressFile(tmp_path)
    file.write(SAMPLING)
    before = (tmp_path / NAME).read_bytes()
    # A write then fails as on a full disk: part of it is done.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        file.write(Sampling(iterations=7))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / NAME).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    file.write(Sampling(iterations=7))
    assert (tmp_path / NAME).read_bytes() != before


@pytest.mark.parametrize("content", ["", "{", "[1]", "3", "null", '{"iteration": "many", "best": NaN}'])
def test_what_is_no_number_is_as_if_it_were_not_there(content: str, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(content)
    assert Progress.read(tmp_path) in (None, Progress())
