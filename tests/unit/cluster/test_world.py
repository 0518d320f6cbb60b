"""The world of a rank is proven against what its launcher says."""

import pytest

from espei_hpc.cluster.world import World, prove
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode


def world(size: int, hosts: tuple[str, ...] = ("a",)) -> World:
    """Make the world of rank 0."""
    return World(0, size, hosts * size if len(hosts) == 1 else hosts, "/mpi/libmpi.so.12")


@pytest.mark.parametrize(
    "variable", ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PALS_SIZE", "SLURM_STEP_NUM_TASKS"]
)
def test_world_smaller_than_the_launcher_says_is_refused(variable: str) -> None:
    with pytest.raises(Refusal, match="3 ranks were started, but each sees a world of 1"):
        prove(world(1), None, {variable: "3"})


def test_world_as_the_launcher_says_is_proven() -> None:
    prove(world(3), 3, {"PMI_SIZE": "3"})


def test_launcher_without_variables_is_held_to_the_ranks_asked_for() -> None:
    with pytest.raises(Refusal, match="3 ranks were started"):
        prove(world(1), 3, {})


def test_other_number_of_ranks_than_asked_for_is_refused() -> None:
    with pytest.raises(Refusal, match="started 1 rank, but 3 were requested"):
        prove(world(1), 3, {"PMI_SIZE": "1"})
    with pytest.raises(Refusal, match="started 4 ranks, but 3 were requested"):
        prove(world(4), 3, {"PMI_SIZE": "4"})


def test_one_rank_is_too_few() -> None:
    with pytest.raises(Refusal) as refused:
        prove(world(1), None, {"PMI_SIZE": "1"})
    assert refused.value.code == ExitCode.USAGE


def test_ranks_on_one_host_are_known_from_ranks_on_two() -> None:
    assert world(2).on_one_host
    assert not world(2, ("a", "b")).on_one_host
