"""Waiting, with one deadline, until a cluster is really there.

There means: the scheduler's file is whole, the scheduler at its address answers
with the id in the file, and the workers have come. Meanwhile the launcher is
watched: when it has ended, there is nothing to wait for.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from espei_hpc.cluster import dask_settings, interfaces
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir import named_clusters as named
from espei_hpc.rundir.cluster_directory import ClusterDirectory
from espei_hpc.rundir.files import read_json
from espei_hpc.text import counted

READY_SECONDS = 120.0
READY_SECONDS_PER_WORKER = 0.5
"""The wait for a cluster grows with it: a file server is slow to hand Python to a thousand ranks."""
POLL_SECONDS = 0.2
ANSWER_SECONDS = 10.0
"""How long one try to reach the scheduler may take."""
FAULT_GRACE_SECONDS = 1.0
"""Ranks on other hosts need a moment to tell why they ended, on a shared file system."""


@dataclass(frozen=True)
class Awaited:
    """What is waited for.

    Attributes:
        scheduler_file: file in which the scheduler tells its address.
        workers: number of workers; None for all ranks but the scheduler's.
        min_workers: go on with as few as this when the deadline has passed.
        seconds: the deadline, counted from now.
        directory: the start of the cluster to watch; None for a cluster started some other way.
    """

    scheduler_file: Path
    workers: int | None
    min_workers: int | None
    seconds: float
    directory: ClusterDirectory | None


@dataclass
class _WaitState:
    """How far the wait has come, for the message at the deadline."""

    stage: str = "no scheduler file has appeared"
    scheduler: str = ""
    answered: bool = False
    names: frozenset[str] = frozenset()
    configuration: Path | None = None


def patience(workers: int | None) -> float:
    """Return the seconds to wait for a cluster where the user names none."""
    return READY_SECONDS + READY_SECONDS_PER_WORKER * (workers or 0)


def wait(goal: Awaited, still_wanted: Callable[[], None] = lambda: None) -> int:
    """Wait for the cluster and return its number of workers.

    Args:
        goal: what is waited for.
        still_wanted: called between two looks; raises to give up (a signal has come).

    Raises:
        Refusal: (DEADLINE) if not all is there in time; (UNAVAILABLE, or the ranks' own code) if the
            launcher ended.
    """
    end = time.monotonic() + goal.seconds
    state = _WaitState()
    while True:
        still_wanted()
        wanted = _wanted(goal)
        _look(goal.scheduler_file, state)
        if state.names and wanted is not None and len(state.names) >= wanted:
            return len(state.names)
        _raise_if_lost(goal.directory)
        if time.monotonic() >= end:
            return _at_deadline(goal, wanted, state)
        time.sleep(POLL_SECONDS)


def answers(scheduler_file: Path) -> bool:
    """Whether the scheduler that wrote a file is alive."""
    state = _WaitState()
    _look(scheduler_file, state)
    return state.answered


def _wanted(goal: Awaited) -> int | None:
    """Return the workers to wait for; None while the world's size is not known."""
    if goal.workers is not None:
        return goal.workers
    if goal.directory is None:
        return 1
    sizes = {content["size"] for content in goal.directory.ranks().values()}
    return max(sizes) - 1 if sizes else None


def _look(scheduler_file: Path, state: _WaitState) -> None:
    """Bring ``state`` up to date."""
    state.answered, state.names = False, frozenset()
    _use_configuration(scheduler_file, state)
    told = _scheduler_told(scheduler_file, state)
    if told is None:
        return
    state.scheduler = told["address"]
    try:
        identity = asyncio.run(_identity(told["address"]))
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        state.stage = f"the scheduler at {told['address']} does not answer ({_short(error)})"
        return
    if identity["id"] != told["id"]:
        state.stage = f"another scheduler answers at {told['address']}: {scheduler_file} is an earlier run's"
        return
    state.answered = True
    state.names = frozenset(str(worker["name"]) for worker in identity["workers"].values())
    state.stage = f"the scheduler at {told['address']} answers, with {counted(len(state.names), 'worker')}"


def _use_configuration(scheduler_file: Path, state: _WaitState) -> None:
    """Join a cluster that the user named by its newest start, which may come meanwhile."""
    found = named.configuration(scheduler_file)
    if found is not None and found != state.configuration:
        dask_settings.use_only(found)
        dask_settings.silence()
        state.configuration = found


def _scheduler_told(scheduler_file: Path, state: _WaitState) -> dict[str, Any] | None:
    """Return the content of a scheduler file that is whole."""
    told = read_json(scheduler_file)
    if isinstance(told, dict) and isinstance(told.get("address"), str) and told.get("id"):
        return told
    if scheduler_file.exists():
        state.stage = f"{scheduler_file} is there, but is not (or not yet) a whole scheduler file"
    return None


async def _identity(address: str) -> dict[str, Any]:
    """Ask a scheduler who it is."""
    from distributed.core import rpc
    from distributed.security import Security

    connection = rpc(address, connection_args=Security().get_connection_args("client"))
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            answer: dict[str, Any] = await connection.identity(n_workers=-1)
            return answer
    finally:
        await connection.close_rpc()


def _raise_if_lost(directory: ClusterDirectory | None) -> None:
    """Raise if ranks have told a fault or the launcher has ended."""
    if directory is None:
        return
    code = directory.launcher_ended()
    refusal = directory.faults()
    if refusal is None and code is not None:
        time.sleep(FAULT_GRACE_SECONDS)
        refusal = directory.faults()
    if refusal is not None:
        raise refusal
    if code is not None:
        raise launcher_lost(directory, code)


def launcher_lost(directory: ClusterDirectory, code: str) -> Refusal:
    """Say that the launcher has ended on its own, with the end of its log."""
    when = "" if directory.ranks() else " before any rank had started MPI"
    fault = Fault(
        "cluster",
        f"the launcher ended with exit code {code}{when}",
        f"the end of its log follows; the whole of it is {directory.launcher_log}",
    )
    return Refusal(ExitCode.UNAVAILABLE, [fault], directory.log_tail())


def _at_deadline(goal: Awaited, wanted: int | None, state: _WaitState) -> int:
    """Go on with fewer workers if the user allowed it, else say what is missing."""
    came = len(state.names)
    if goal.min_workers is not None and came >= max(1, goal.min_workers):
        return came
    faults = [
        Fault(
            "cluster",
            f"not ready after {goal.seconds:g} s: {state.stage}"
            + (f" of the {wanted} asked for" if state.names and wanted else ""),
            "raise --timeout if the machine is only slow, or go on with fewer by --min-workers",
        )
    ]
    if goal.directory is not None:
        faults += _missing(goal.directory, state)
    raise Refusal(ExitCode.DEADLINE, faults, goal.directory.log_tail() if goal.directory else ())


def _missing(directory: ClusterDirectory, state: _WaitState) -> list[Fault]:
    """Tell which ranks came and which did not, and where each tried to reach the scheduler from."""
    ranks = directory.ranks()
    faults = [
        Fault(
            f"rank {rank} on {told['host']}",
            f"its worker did not reach the scheduler{' at ' + state.scheduler if state.scheduler else ''}",
            "interfaces there: "
            + "; ".join(f"{name} ({text})" for name, text in told["interfaces"].items() if text),
        )
        for rank, told in sorted(ranks.items())
        if rank != 0 and f"{directory.id}-{rank}" not in state.names
    ]
    if not ranks:
        here = "; ".join(f"{name} ({text})" for name, text in interfaces.addresses().items() if text)
        faults.append(Fault("ranks", "none has started MPI", f"interfaces of this host: {here}"))
    return faults


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
