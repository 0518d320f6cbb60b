"""A cluster lost on the way is started again inside the allocation, and the fit goes on (rows 8 and 9)."""

import json
import os
import signal
from pathlib import Path

import pytest

from fits import Chain, save_often
from support import Command, Commands, mpirun, ranks, wait_until

AGAIN = "restarting the cluster ({} of at most {} times)"


@pytest.fixture
def fit(small_fit: Path) -> Path:
    """A fit that saves often, so that every start gets somewhere."""
    save_often(small_fit)
    return small_fit


@pytest.fixture
def long_fit(endless_fit: Path) -> Path:
    """The same with more iterations than any test waits for."""
    save_often(endless_fit)
    return endless_fit


def kill_scheduler(run: Command, fit: Path, lost: int) -> None:
    """Kill the scheduler's rank of the start after so many lost ones, once iterations are saved in it."""
    wait_until(lambda: run.output.count("cluster ready") == lost + 1, "the cluster")
    before = segments(fit)
    wait_until(lambda: segments(fit) > before or run.process.poll() is not None, "a checkpoint")
    told = sorted(fit.with_suffix(".run").glob("cluster/*/rank-0.json"))[-1]
    os.kill(json.loads(told.read_text())["pid"], signal.SIGKILL)


def segments(fit: Path) -> int:
    return len(list(fit.with_suffix(".run").glob("checkpoint/*.npz")))


@pytest.mark.quick
def test_fault_09_killed_scheduler_is_started_again_and_the_fit_goes_on(
    commands: Commands, fit: Path, stock_chain: Chain
) -> None:
    run = commands.start("espei-mpi", "--in", fit, "-n", "3")
    kill_scheduler(run, fit, lost=0)
    result = run.finish()
    assert result.code == 0, result.output
    assert "cluster: lost" in result.output
    assert AGAIN.format(1, 3) in result.output
    assert Chain.load(fit.parent).equals(stock_chain)
    assert commands.left() == []


@pytest.mark.parametrize("family", [pytest.param("openmpi", marks=pytest.mark.long), "mpich"])
def test_fault_08_killed_rank_that_ends_the_launcher_is_started_again_and_the_fit_goes_on(
    family: str, commands: Commands, fit: Path, stock_chain: Chain
) -> None:
    oversubscribe = " --map-by :OVERSUBSCRIBE" if family == "openmpi" else ""
    launcher = f"{mpirun(family)}{oversubscribe}"
    run = commands.start("espei-mpi", "--in", fit, "-n", "3", "--launcher", launcher)
    wait_until(lambda: segments(fit) > 0, "a checkpoint")
    max(ranks(run), key=lambda rank: rank.cpu_times().user).kill()
    result = run.finish()
    assert result.code == 0, result.output
    assert AGAIN.format(1, 3) in result.output
    assert Chain.load(fit.parent).equals(stock_chain)
    assert commands.left() == []


@pytest.mark.long
def test_fault_09_cluster_lost_too_often_ends_the_run_and_the_same_command_goes_on(
    commands: Commands, long_fit: Path, stock_chain: Chain
) -> None:
    run = commands.start("espei-mpi", "--in", long_fit, "-n", "2", "--restarts", "1")
    for lost in (0, 1):
        kill_scheduler(run, long_fit, lost)
    result = run.finish()
    assert result.code == 69, result.output
    assert AGAIN.format(1, 1) in result.output
    assert "not restarted (--restarts 1); run the same command again to resume" in result.output
    assert Chain.load(long_fit.parent).begins_like(stock_chain)
    assert commands.left() == []


def test_fault_14_signal_while_a_lost_cluster_is_started_again_leaves_nothing(
    commands: Commands, long_fit: Path
) -> None:
    run = commands.start("espei-mpi", "--in", long_fit, "-n", "2")
    kill_scheduler(run, long_fit, lost=0)
    run.wait_for_output(AGAIN.format(1, 3))
    run.process.send_signal(signal.SIGTERM)
    result = run.finish()
    assert result.code in (75, 143), result.output
    assert commands.left() == []
