"""Which worker evaluated when, as those who draw it find it."""

import time
from pathlib import Path

import numpy as np
import pytest

from espei_hpc.rundir.timeline import MOST, NAME, SECONDS, TimelineFile
from espei_hpc.workers.dispatch import Job
from espei_hpc.workers.results import Done


def done(worker: str, began: float, seconds: float = 0.5) -> Done:
    return Done(Job(0, 0, ()), None, seconds, worker, began)


def test_each_piece_has_its_worker_its_begin_and_its_length(tmp_path: Path) -> None:
    timeline = TimelineFile(tmp_path)
    for worker, began in (("tls://b:1", 100.0), ("tls://a:2", 100.25), ("tls://b:1", 100.5)):
        timeline.add(done(worker, began))
    timeline.write()
    with np.load(tmp_path / NAME, allow_pickle=False) as kept:
        assert kept["workers"].tolist() == ["tls://b:1", "tls://a:2"]
        assert (kept["worker"].dtype, kept["worker"].tolist()) == (np.int32, [0, 1, 0])
        assert (kept["begin"].dtype, kept["begin"].tolist()) == (np.float64, [100.0, 100.25, 100.5])
        assert (kept["seconds"].dtype, kept["seconds"].tolist()) == (np.float64, [0.5] * 3)


def test_the_latest_are_kept_and_the_file_stays_small(tmp_path: Path) -> None:
    timeline = TimelineFile(tmp_path)
    for number in range(MOST + 10):
        timeline.add(done("tls://a:2", float(number)))
    timeline.write()
    with np.load(tmp_path / NAME) as kept:
        assert kept["begin"].tolist() == [float(number) for number in range(10, MOST + 10)]
    assert (tmp_path / NAME).stat().st_size < 500_000


def test_it_is_for_its_owner_alone_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    timeline = TimelineFile(tmp_path)
    timeline.add(done("tls://a:2", 1.0))
    timeline.write()
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_it_is_written_now_and_then_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    timeline = TimelineFile(tmp_path)
    timeline.add(done("tls://a:2", 1.0))
    now += 0.9 * SECONDS
    timeline.write_if_due()
    assert not (tmp_path / NAME).exists()
    now += 0.1 * SECONDS
    timeline.write_if_due()
    assert (tmp_path / NAME).exists()


def test_start_in_which_nothing_was_evaluated_leaves_the_one_before(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"before")
    TimelineFile(tmp_path).write()
    assert (tmp_path / NAME).read_bytes() == b"before"


def test_file_system_that_refuses_does_not_hinder_the_fit(tmp_path: Path) -> None:
    timeline = TimelineFile(tmp_path / "none")
    timeline.add(done("tls://a:2", 1.0))
    timeline.write()
    assert not (tmp_path / "none").exists()
