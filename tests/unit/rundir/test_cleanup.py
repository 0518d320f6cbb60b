"""What starts that were killed have left does not stay for ever."""

from pathlib import Path

import pytest

from espei_hpc.cluster import prepare
from espei_hpc.rundir.cleanup import KEPT, tidy
from espei_hpc.rundir.cluster_directory import ClusterDirectory


@pytest.fixture
def starts(tmp_path: Path) -> list[ClusterDirectory]:
    """Starts of a cluster, of which nothing was tidied up, the oldest first."""
    made = [prepare.own_cluster(tmp_path / "x.run", prepare.ClusterRequest(3)) for _ in range(KEPT + 2)]
    for start in made:
        start.launcher_log.write_text("a log")
        start.scratch.mkdir()
    return sorted(made, key=lambda start: start.id)


def test_keys_of_earlier_starts_are_removed_and_their_logs_stay(starts: list[ClusterDirectory]) -> None:
    tidy(starts[0].run_directory, but=starts[-1].id)
    for start in starts[1:-1]:
        assert not {"key.pem", "certificate.pem", "scratch"} & {path.name for path in start.path.iterdir()}
        assert start.launcher_log.exists()


def test_start_that_is_in_use_is_left_alone(starts: list[ClusterDirectory]) -> None:
    before = {path.name for path in starts[-1].path.iterdir()}
    tidy(starts[0].run_directory, but=starts[-1].id)
    assert {path.name for path in starts[-1].path.iterdir()} == before


def test_ranks_of_earlier_starts_are_told_to_end(starts: list[ClusterDirectory]) -> None:
    tidy(starts[0].run_directory, but=starts[-1].id)
    assert [start.ended() for start in starts] == [True] * (KEPT + 1) + [False]


def test_number_of_starts_that_are_kept_is_bounded(starts: list[ClusterDirectory]) -> None:
    tidy(starts[0].run_directory)
    assert [start.path.exists() for start in starts] == [False] * 2 + [True] * KEPT


def test_run_directory_without_a_start_is_fine(tmp_path: Path) -> None:
    tidy(tmp_path / "x.run")
    assert not (tmp_path / "x.run").exists()
