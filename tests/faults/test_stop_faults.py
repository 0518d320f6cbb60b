"""Stopping a fit from outside (rows 13 to 16 of the fault table), and losing its cluster."""

import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from amounts import few_and_many
from fits import Chain
from support import BIN, Command, Commands, mpirun, ranks, wait_until

STOPPED = 75
# In place of espei-hpc: asked what to run, it names itself, and then it is a fit that ends after a signal.
STAND_IN = f"""#!{sys.executable} -S
import os, signal, sys, time

if sys.argv[1] == "launch":
    print(f"fit=({{sys.argv[0]}} fit)", end="\\0")
    sys.exit()
signals = []
signal.signal(signal.SIGTERM, lambda number, frame: signals.append(number))
print("sampling", flush=True)
while not signals:
    time.sleep(0.001)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(0.01)
os._exit({STOPPED})
"""


def started(commands: Commands, fit: Path, *options: str) -> Command:
    """Start a fit and wait until it samples."""
    run = commands.start("espei-mpi", "--in", fit, "-n", "2", *options)
    run.wait_for_samples()
    return run


def assert_saved(fit: Path, stock: Chain) -> None:
    """The samples so far are stock's, and the best database was written."""
    assert Chain.load(fit.parent).begins_like(stock)
    assert "PARAMETER" in (fit.parent / "fitted.tdb").read_text()


@pytest.mark.quick
def test_fault_13_sigterm_to_all_processes_saves_and_exits_75(
    commands: Commands, endless_fit: Path, stock_chain: Chain
) -> None:
    run = started(commands, endless_fit)
    for process in run.processes():
        process.terminate()
    result = run.finish()
    assert result.code == STOPPED, result.output
    assert_saved(endless_fit, stock_chain)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGTERM, id="TERM"),
        pytest.param(signal.SIGHUP, id="HUP", marks=pytest.mark.long),
    ],
)
def test_fault_14_signal_to_the_script_alone_is_forwarded_and_nothing_is_left(
    number: signal.Signals, commands: Commands, endless_fit: Path, stock_chain: Chain
) -> None:
    run = started(commands, endless_fit)
    run.process.send_signal(number)
    result = run.finish()
    assert result.code == STOPPED, result.output
    assert commands.left() == []
    assert_saved(endless_fit, stock_chain)


# The next test is this one with more signals.
@pytest.mark.long
def test_fault_15_sigint_never_exits_0_for_a_part_of_a_run(
    commands: Commands, endless_fit: Path, stock_chain: Chain
) -> None:
    run = started(commands, endless_fit)
    run.process.send_signal(signal.SIGINT)
    result = run.finish()
    assert result.code == STOPPED, result.output
    assert_saved(endless_fit, stock_chain)


@pytest.mark.long
def test_fault_15_further_sigints_disturb_neither_the_saving_nor_the_exit_code(
    commands: Commands, endless_fit: Path, stock_chain: Chain
) -> None:
    run = started(commands, endless_fit)
    while run.process.poll() is None:
        run.process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    result = run.finish()
    assert result.code == STOPPED, result.output
    assert_saved(endless_fit, stock_chain)


# A batch system signals the script, and Apptainer, which forwards its own signal to the script.
@few_and_many("times", 40, 2000)
def test_fault_15_signals_in_quick_succession_leave_the_exit_code_to_the_fit(
    times: int, commands: Commands
) -> None:
    script = shutil.copy(BIN / "espei-mpi", commands.directory)
    stand_in = commands.directory / "espei-hpc"
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)
    for _ in range(times):
        run = commands.start(script)
        run.wait_for_output("sampling")
        run.process.terminate()
        time.sleep(random.uniform(0, 0.004))
        run.process.terminate()
        result = run.finish()
        assert result.code == STOPPED, result.output


@pytest.mark.quick
def test_fault_15_sigint_before_the_sampling_leaves_nothing_and_exits_130(
    commands: Commands, endless_fit: Path
) -> None:
    run = commands.start("espei-mpi", "--in", endless_fit, "-n", "2")
    wait_until(lambda: ranks(run), "a rank")
    run.process.send_signal(signal.SIGINT)
    result = run.finish()
    assert result.code == 128 + signal.SIGINT, result.output
    assert commands.left() == []
    assert not (endless_fit.parent / "trace.npy").exists()


def test_fault_16_sigusr1_before_walltime_saves_and_exits_75(
    commands: Commands, endless_fit: Path, stock_chain: Chain
) -> None:
    run = started(commands, endless_fit)
    run.process.send_signal(signal.SIGUSR1)
    result = run.finish()
    assert result.code == STOPPED, result.output
    assert_saved(endless_fit, stock_chain)


@pytest.mark.long
def test_signal_stops_a_fit_without_mpi_too(
    commands: Commands, endless_fit: Path, stock_chain: Chain
) -> None:
    run = commands.start(BIN / "espei-hpc", "fit", "--in", endless_fit, "--local")
    run.wait_for_samples()
    run.process.send_signal(signal.SIGTERM)
    result = run.finish()
    assert result.code == STOPPED, result.output
    assert_saved(endless_fit, stock_chain)


@pytest.mark.parametrize("family", ["openmpi", pytest.param("mpich", marks=pytest.mark.long)])
def test_killed_launcher_ends_the_run_with_the_samples_saved(
    family: str, commands: Commands, endless_fit: Path, stock_chain: Chain
) -> None:
    oversubscribe = " --map-by :OVERSUBSCRIBE" if family == "openmpi" else ""
    launcher = f"{mpirun(family)}{oversubscribe}"
    run = started(commands, endless_fit, "--restarts", "0", "--launcher", launcher)
    launchers = [
        process for process in run.processes() if process.name() in ("mpirun", "prterun", "mpiexec.hydra")
    ]
    assert launchers, [process.name() for process in run.processes()]
    for process in launchers:
        process.kill()
    result = run.finish()
    assert result.code == 69, result.output
    assert "cluster: lost after" in result.output
    assert commands.left() == []
    assert_saved(endless_fit, stock_chain)


def test_killed_fit_takes_its_cluster_down(commands: Commands, endless_fit: Path) -> None:
    run = started(commands, endless_fit)
    (fit,) = [process for process in run.processes() if "--supervisor" in process.cmdline()]
    fit.kill()
    result = run.finish()
    assert result.code == 128 + signal.SIGKILL, result.output
    assert commands.left() == []


def test_killed_script_ends_fit_and_cluster(
    commands: Commands, endless_fit: Path, stock_chain: Chain
) -> None:
    run = started(commands, endless_fit)
    os.kill(run.process.pid, signal.SIGKILL)
    wait_until(lambda: not commands.left(), "the end of all processes")
    assert_saved(endless_fit, stock_chain)


def test_killed_script_leaves_no_cluster_that_was_still_starting(
    commands: Commands, endless_fit: Path
) -> None:
    run = commands.start("espei-mpi", "--in", endless_fit, "-n", "2")
    run.wait_for_output("starting the cluster")
    wait_until(lambda: any("--supervisor" in _words(p) for p in run.processes()), "the fit")
    os.kill(run.process.pid, signal.SIGKILL)
    wait_until(lambda: not commands.left(), "the end of all processes")


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
