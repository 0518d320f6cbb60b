"""What the workers did, as the fit wrote it down."""

from pathlib import Path

import numpy as np
import pytest

from espei_hpc.rundir import timeline


def written(directory: Path) -> None:
    np.savez(
        directory / timeline.NAME,
        worker=np.array([0, 1, 0], dtype=np.int32),
        begin=np.array([1000.0, 1001.0, 1002.0]),
        seconds=np.array([2.0, 2.0, 2.0]),
        workers=np.array(["rank 1", "rank 2"]),
    )


def test_times_count_from_the_first_evaluation(tmp_path: Path) -> None:
    written(tmp_path)
    read = timeline.read(tmp_path)
    assert read is not None
    assert read.begin.tolist() == [0, 1, 2]


def test_efficiency_is_the_part_of_the_time_spent_evaluating(tmp_path: Path) -> None:
    written(tmp_path)
    read = timeline.read(tmp_path)
    assert read is not None
    assert read.efficiency == pytest.approx(6 / (4 * 2))


def test_as_many_are_at_work_as_evaluate_at_once(tmp_path: Path) -> None:
    written(tmp_path)
    read = timeline.read(tmp_path)
    assert read is not None
    edges, busy = read.at_work(windows=4)
    assert edges.tolist() == [0, 1, 2, 3, 4]
    assert busy.tolist() == [1, 2, 2, 1]


@pytest.mark.parametrize("content", [None, b"", b"no archive"])
def test_without_one_that_can_be_read_there_is_none(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / timeline.NAME).write_bytes(content)
    assert timeline.read(tmp_path) is None
