"""Ranks that a launcher only tells apart become a cluster without MPI.

The launcher is this file's own stand-in: it starts real processes and sets the
variables that ``srun`` sets, but no Slurm is behind it.
"""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from espei_hpc.rundir.cluster_directory import ClusterDirectory
from espei_hpc.rundir.named_clusters import newest_start
from fits import KEPT, Chain
from support import BIN, Command, Commands, mpirun, ranks, running_cluster, wait_until

STAND_IN = """#!/usr/bin/env bash
# Stands in for srun --mpi=none: -n SIZE COMMAND. As srun, it lets the others run on when one fails.
set -eu
size=$2 code=0
shift 2
for ((rank = 0; rank < size; rank++)); do
    export SLURM_PROCID=$rank SLURM_STEP_NUM_TASKS=$size
    {extra}
    "$@" &
done
for job in $(jobs -p); do wait "$job" || code=$?; done
exit "$code"
"""
MPICH = BIN.parent / "mpi" / "mpich" / "lib" / "libmpi.so.12"
OTHER_FAMILY = f"export PMIX_RANK=$rank MPI4PY_LIBMPI={MPICH}"
"""As srun --mpi=pmix, where there is only an MPI that does not know it."""


@pytest.fixture
def launcher(tmp_path: Path) -> str:
    """A launcher that tells rank and size alone."""
    return stand_in(tmp_path)


def stand_in(directory: Path, extra: str = ":") -> str:
    """Write the stand-in, with what else it does before it starts a rank."""
    path = directory / "stand-in"
    path.write_text(STAND_IN.replace("{extra}", extra))
    path.chmod(0o755)
    return str(path)


@contextmanager
def cluster_of_two(commands: Commands, launcher: str) -> Iterator[ClusterDirectory]:
    """Keep a cluster up whose worker has come."""
    with running_cluster(commands, "-n", "2", "--launcher", launcher):
        file = commands.directory / "my_scheduler.json"
        waited = commands.run("wait-for-cluster", "--scheduler-file", file, "-w", "1")
        assert waited.code == 0, waited.output
        directory = newest_start(file)
        assert directory is not None
        yield directory


def told(directory: ClusterDirectory, key: str) -> set[Any]:
    """Return what the ranks told of something."""
    found = directory.ranks()
    assert sorted(found) == [0, 1]
    return {rank.get(key) for rank in found.values()}


def lines_without_mpi(directory: ClusterDirectory) -> list[str]:
    """Return the lines of the ranks' log that tell of a start without MPI."""
    log = directory.launcher_log.read_text().splitlines()
    return [line for line in log if "ranks start without MPI" in line]


def libraries(run: Command) -> set[str]:
    """Return the MPI libraries that a run's ranks have loaded."""
    paths = {each.path for rank in ranks(run) for each in rank.memory_maps()}
    return {path for path in paths if "/libmpi" in path}


def test_chain_of_a_fit_without_mpi_equals_stock_and_nothing_is_left(
    launcher: str, commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "3", "--launcher", launcher)
    assert result.code == 0, result.output
    assert "cluster ready: 2 workers" in result.output
    assert Chain.load(small_fit.parent).equals(stock_chain)
    assert {path.name for path in small_fit.with_suffix(".run").iterdir()} == KEPT


def test_signal_ends_a_fit_without_mpi_with_its_checkpoint(
    commands: Commands, endless_fit: Path, stock_chain: Chain
) -> None:
    launcher = stand_in(endless_fit.parent, OTHER_FAMILY)
    run = commands.start("espei-mpi", "--in", endless_fit, "-n", "3", "--launcher", launcher)
    run.wait_for_output("iteration 1 ")
    assert len(ranks(run)) == 3
    assert libraries(run) == set()  # not even by ESPEI's import of mpi4py
    run.process.send_signal(signal.SIGTERM)
    assert run.finish().code == 75
    assert Chain.load(endless_fit.parent).begins_like(stock_chain)


def test_one_line_of_the_log_says_that_and_why_there_is_no_mpi(launcher: str, commands: Commands) -> None:
    with cluster_of_two(commands, launcher) as directory:
        (line,) = lines_without_mpi(directory)
        assert "srun sets rank and size, but offers no PMI" in line
        assert told(directory, "library") == {"none"}


def test_ranks_on_one_host_talk_over_loopback(launcher: str, commands: Commands) -> None:
    with cluster_of_two(commands, launcher) as directory:
        address = json.loads(directory.scheduler_file.read_text())["address"]
    assert address.startswith("tls://127.0.0.1:")


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (OTHER_FAMILY, "launcher and MPI library do not fit"),
        # As srun --mpi=cray_shasta: MPICH starts, and gives each rank a world of its own.
        (
            f"export PMI_RANK=$rank PMI_SIZE=$size MPI4PY_LIBMPI={MPICH}",
            "2 ranks were started, but each sees a world of 1",
        ),
        (
            "export PMI_RANK=$rank PMI_SIZE=$size MPI4PY_LIBMPI=/nowhere/libmpi.so.12",
            "no MPI library could be loaded",
        ),
    ],
    ids=["other family", "world of one", "no library"],
)
def test_where_no_pmi_matches_ranks_start_without_mpi(extra: str, said: str, commands: Commands) -> None:
    with cluster_of_two(commands, stand_in(commands.directory, extra)) as directory:
        (line,) = lines_without_mpi(directory)
        assert said in line
        assert told(directory, "library") == {"none"}


def test_mpirun_below_an_srun_still_gives_mpi(commands: Commands) -> None:
    below = commands.directory / "below"
    below.write_text(f'#!/bin/sh\nSLURM_PROCID=0 SLURM_STEP_NUM_TASKS=1 exec {mpirun("mpich")} "$@"\n')
    below.chmod(0o755)
    with cluster_of_two(commands, str(below)) as directory:
        assert lines_without_mpi(directory) == []
        assert {Path(library).name for library in told(directory, "library")} == {"libmpi.so.12"}


def test_other_number_of_ranks_than_asked_for_is_refused_without_mpi_too(
    commands: Commands, small_fit: Path
) -> None:
    wrong = stand_in(small_fit.parent, "export SLURM_STEP_NUM_TASKS=4")
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "3", "--launcher", wrong)
    assert result.code == 78, result.output
    assert "the launcher started 4 ranks, but 3 were requested" in result.output


def test_two_ranks_with_one_number_are_refused_and_the_launcher_ends(commands: Commands) -> None:
    wrong = stand_in(commands.directory, "((rank < 2)) || SLURM_PROCID=1")
    started = commands.run(
        "start-cluster", "--scheduler-file", "my_scheduler.json", "-n", "3", "--launcher", wrong
    )
    assert started.code != 0
    assert "two ranks have the number 1: process" in started.output


def test_rank_that_never_comes_ends_the_fit_at_its_deadline(commands: Commands, small_fit: Path) -> None:
    without_the_last = stand_in(small_fit.parent, "((rank < 2)) || break")
    result = commands.run(
        "espei-mpi", "--in", small_fit, "-n", "3", "--launcher", without_the_last, "--timeout", "5"
    )
    assert result.code == 124, result.output
    assert "no scheduler file has appeared" in result.output


def test_killed_scheduler_ends_the_workers_without_mpi(launcher: str, commands: Commands) -> None:
    with running_cluster(commands, "-n", "3", "--launcher", launcher) as cluster:
        waited = commands.run("wait-for-cluster", "--scheduler-file", "my_scheduler.json", "-w", "2")
        assert waited.code == 0, waited.output
        directory = newest_start(commands.directory / "my_scheduler.json")
        assert directory is not None
        psutil.Process(directory.ranks()[0]["pid"]).kill()
        wait_until(lambda: not ranks(cluster), "the end of all ranks")
