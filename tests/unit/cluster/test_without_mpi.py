"""Ranks without MPI meet in the cluster's directory, or end and say why."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from espei_hpc.cluster import prepare, without_mpi
from espei_hpc.cluster.place import RankPlace
from espei_hpc.cluster.world import World
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.cluster_directory import ClusterDirectory

SOON = 0.1
"""Long enough where what is waited for never comes."""
PATIENCE = 60.0


@pytest.fixture
def directory(tmp_path: Path) -> ClusterDirectory:
    """A cluster of three ranks."""
    return prepare.own_cluster(tmp_path / "x.run", prepare.ClusterRequest(3))


def meet(directory: ClusterDirectory, rank: int, size: int = 3, seconds: float = PATIENCE) -> World:
    """Come as one rank."""
    return without_mpi.meet(directory, RankPlace("srun", rank, size), "no PMI", seconds)


def test_ranks_that_all_come_know_each_other(directory: ClusterDirectory) -> None:
    with ThreadPoolExecutor(3) as ranks:
        worlds = list(ranks.map(lambda rank: meet(directory, rank), (2, 1, 0)))
    assert [(world.rank, world.size) for world in worlds] == [(2, 3), (1, 3), (0, 3)]
    assert all(world.on_one_host and len(world.hosts) == 3 for world in worlds)
    assert {told["without_mpi"] for told in directory.ranks().values()} == {"no PMI"}


def test_rank_that_never_comes_is_named_at_the_deadline(directory: ClusterDirectory) -> None:
    with ThreadPoolExecutor(2) as ranks:
        coming = [ranks.submit(meet, directory, rank, seconds=SOON) for rank in (0, 2)]
    for rank in coming:
        refusal = rank.exception()
        assert isinstance(refusal, Refusal)
        assert refusal.code == ExitCode.DEADLINE
        assert "1 of 3 ranks are missing: rank 1;" in str(refusal)


def test_rank_0_that_ends_after_it_came_is_named_by_the_others(directory: ClusterDirectory) -> None:
    for rank in (0, 2):
        with pytest.raises(Refusal):
            meet(directory, rank, seconds=SOON)
    with pytest.raises(Refusal, match="rank 0 is up but has not started the scheduler"):
        meet(directory, 1, seconds=SOON)


def test_second_rank_with_a_number_is_refused_and_the_first_keeps_it(directory: ClusterDirectory) -> None:
    with pytest.raises(Refusal, match="ranks are missing"):
        meet(directory, 1, seconds=SOON)
    told = directory.rank_file(1).read_text()
    with pytest.raises(Refusal, match=r"two ranks have the number 1: process \d+ on ") as refused:
        meet(directory, 1)
    assert refused.value.code == ExitCode.CONFIGURATION
    assert directory.rank_file(1).read_text() == told


def test_number_beyond_the_size_is_refused(directory: ClusterDirectory) -> None:
    with pytest.raises(Refusal, match="rank 3 was started, but srun reports 3 ranks"):
        meet(directory, 3)


@pytest.mark.parametrize("rank", [0, 1])
def test_other_number_of_ranks_than_asked_for_is_refused_without_waiting(
    rank: int, directory: ClusterDirectory
) -> None:
    with pytest.raises(Refusal, match="started 4 ranks, but 3 were requested"):
        meet(directory, rank, size=4)
    assert directory.ranks() == {}


def test_refusal_of_one_rank_ends_the_wait_for_it(directory: ClusterDirectory) -> None:
    refusal = Refusal(ExitCode.CONFIGURATION, [Fault("ranks", "does not fit")])
    directory.report("2", refusal)
    with pytest.raises(Refusal, match="does not fit"):
        meet(directory, 0)
