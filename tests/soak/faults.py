"""Faults of docs/reliability.md that strike a run which samples, and the exit codes that each may lead to."""

import json
import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from support import Command, ranks

OK, LOST, STOPPED = 0, 69, 75
SIGNALS = {
    "TERM": signal.SIGTERM,
    "INT": signal.SIGINT,
    "HUP": signal.SIGHUP,
    "USR1": signal.SIGUSR1,
}
LAUNCHERS = ("mpirun", "prterun", "mpiexec.hydra")


@dataclass(frozen=True)
class Fault:
    """Something that happens to a run.

    Attributes:
        row: of the table of faults.
        name: in words.
        strike: does it; the run may have ended before.
        codes: exit codes with which the run may then end; 0 if it finished, all the same or before.
    """

    row: int
    name: str
    strike: Callable[[Command], None]
    codes: frozenset[int]


def killed(find: Callable[[Command], Sequence[psutil.Process]]) -> Callable[[Command], None]:
    """Return what kills the processes that are found."""

    def strike(run: Command) -> None:
        for process in find(run):
            with suppress(psutil.NoSuchProcess):
                process.kill()

    return strike


def signalled(number: int) -> Callable[[Command], None]:
    """Return what sends a signal to the script alone."""

    def strike(run: Command) -> None:
        with suppress(ProcessLookupError):
            os.kill(run.process.pid, number)

    return strike


def everything_signalled(run: Command) -> None:
    """TERM to all processes, as batch systems do."""
    for process in run.processes():
        with suppress(psutil.NoSuchProcess):
            process.terminate()


def a_worker_stopped_for_a_while(run: Command) -> None:
    """Stop a rank, as a host does that swaps, and let it go on."""
    for process in a_rank(run):
        with suppress(psutil.NoSuchProcess):
            process.suspend()
            time.sleep(random.uniform(1, 6))
            process.resume()


def the_script(run: Command) -> list[psutil.Process]:
    """The supervisor."""
    with suppress(psutil.NoSuchProcess):
        return [psutil.Process(run.process.pid)]
    return []


def the_fit(run: Command) -> list[psutil.Process]:
    """The client."""
    return _those(run, lambda process: "--supervisor" in process.cmdline())


def the_launcher(run: Command) -> list[psutil.Process]:
    """mpirun."""
    return _those(run, lambda process: process.name() in LAUNCHERS)


def the_scheduler(run: Command) -> list[psutil.Process]:
    """The rank that is the scheduler."""
    told = sorted(Path(run.log.parent).glob("x.run/cluster/*/rank-0.json"))
    with suppress(IndexError, OSError, ValueError, psutil.NoSuchProcess):
        return [psutil.Process(json.loads(told[-1].read_text())["pid"])]
    return []


def a_rank(run: Command) -> list[psutil.Process]:
    """One rank or another."""
    return random.sample(there, 1) if (there := ranks(run)) else []


def _those(run: Command, which: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    found = []
    for process in run.processes():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if which(process):
                found.append(process)
    return found


KILLED = -signal.SIGKILL
FAULTS = (
    Fault(8, "rank killed", killed(a_rank), frozenset({OK, LOST})),
    Fault(9, "scheduler killed", killed(the_scheduler), frozenset({OK, LOST})),
    Fault(9, "launcher killed", killed(the_launcher), frozenset({OK, LOST})),
    Fault(10, "rank stopped for some seconds", a_worker_stopped_for_a_while, frozenset({OK})),
    Fault(13, "TERM to all", everything_signalled, frozenset({OK, STOPPED, 128 + signal.SIGTERM})),
    *(
        Fault(14, f"{name} to the script", signalled(number), frozenset({OK, STOPPED, 128 + number}))
        for name, number in SIGNALS.items()
    ),
    Fault(17, "fit killed", killed(the_fit), frozenset({OK, 128 + signal.SIGKILL})),
    Fault(17, "script killed", killed(the_script), frozenset({OK, KILLED})),
    Fault(17, "all killed", killed(Command.processes), frozenset({OK, KILLED})),
)
