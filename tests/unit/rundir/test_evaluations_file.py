"""Evaluations of a search are kept, and found again bit for bit."""

from pathlib import Path

import numpy as np
import pytest

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.evaluations import NAME, EvaluationsFile

POINTS = (np.array([1.0, -2.5]), np.array([0.1, 1e-300]))
ROWS = np.array([0.1, 0.2, -0.3])


def test_saved_evaluations_are_found_again(tmp_path: Path) -> None:
    file = EvaluationsFile(tmp_path)
    file.units = np.array([0, 0, 1])
    file.add(POINTS[0], (-12.5, ROWS))
    file.add(POINTS[1], None)
    file.save()
    again = EvaluationsFile(tmp_path)
    assert len(again) == 2
    assert again.units.tolist() == [0, 0, 1]
    found = again[POINTS[0]]
    assert found is not None
    assert found[0] == -12.5
    assert found[1].tobytes() == ROWS.tobytes()
    assert again[POINTS[1]] is None
    assert np.array([1.0, -2.6]) not in again
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_evaluations_that_are_all_impossible_are_found_again(tmp_path: Path) -> None:
    file = EvaluationsFile(tmp_path)
    file.add(POINTS[0], None)
    file.save()
    assert EvaluationsFile(tmp_path)[POINTS[0]] is None


@pytest.mark.parametrize("length", [0, 100])
def test_damaged_file_is_refused(tmp_path: Path, length: int) -> None:
    file = EvaluationsFile(tmp_path)
    file.add(POINTS[0], (-1.0, ROWS))
    file.save()
    (tmp_path / NAME).write_bytes((tmp_path / NAME).read_bytes()[:length])
    with pytest.raises(Refusal) as refused:
        EvaluationsFile(tmp_path)
    assert refused.value.code == ExitCode.BAD_INPUT
    assert "is damaged" in str(refused.value)


def test_full_disk_is_reported_and_the_file_stays(tmp_path: Path) -> None:
    file = EvaluationsFile(tmp_path / "missing")
    file.add(POINTS[0], (-1.0, ROWS))
    with pytest.raises(Refusal) as refused:
        file.save()
    assert refused.value.code == ExitCode.CANNOT_CREATE
