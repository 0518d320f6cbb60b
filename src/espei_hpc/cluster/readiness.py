"""Wait, with one timeout, until a cluster is ready.

Ready means: the scheduler file is complete, the scheduler at its address answers
with the ID in the file, and the workers are connected. The wait ends early if the
launcher has ended.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from espei_hpc.cluster import dask_settings, interfaces
from espei_hpc.cluster.launcher_log import causes, launcher_lost
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir import named_clusters as named
from espei_hpc.rundir.cluster_directory import ClusterDirectory
from espei_hpc.rundir.files import read_json
from espei_hpc.text import counted

READY_SECONDS = 120.0
READY_SECONDS_PER_WORKER = 0.5
"""Large clusters take longer to start: a file server is slow to serve Python to a thousand ranks."""
POLL_SECONDS = 0.2
ANSWER_SECONDS = 10.0
"""Timeout of one attempt to reach the scheduler."""
FAULT_GRACE_SECONDS = 1.0
"""Time for fault files of ranks on other hosts to appear on the shared file system."""


@dataclass(frozen=True)
class Awaited:
    """The cluster to wait for.

    Attributes:
        scheduler_file: file to which the scheduler writes its address.
        workers: number of workers; None for all ranks except the scheduler.
        min_workers: after the timeout, continue with at least this many.
        seconds: the timeout.
        directory: the cluster start to watch; None for a cluster that espei-hpc did not start.
    """

    scheduler_file: Path
    workers: int | None
    min_workers: int | None
    seconds: float
    directory: ClusterDirectory | None


@dataclass
class _WaitState:
    """The last observed state, for the message after the timeout."""

    stage: str = "no scheduler file has appeared"
    scheduler: str = ""
    answered: bool = False
    names: frozenset[str] = frozenset()
    configuration: Path | None = None


def patience(workers: int | None) -> float:
    """Return the default timeout in seconds for a cluster with this many workers."""
    return READY_SECONDS + READY_SECONDS_PER_WORKER * (workers or 0)


def wait(goal: Awaited, still_wanted: Callable[[], None] = lambda: None) -> int:
    """Wait for the cluster and return its number of workers.

    Args:
        goal: the cluster to wait for.
        still_wanted: called between two polls; raises to stop waiting (after a signal).

    Raises:
        Refusal: (DEADLINE) after the timeout; (UNAVAILABLE, or the ranks' own code) if the launcher
            ended.
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
    """Whether the scheduler that wrote a file is running."""
    state = _WaitState()
    _look(scheduler_file, state)
    return state.answered


def _wanted(goal: Awaited) -> int | None:
    """Return the number of workers to wait for; None while the world's size is not known."""
    if goal.workers is not None:
        return goal.workers
    if goal.directory is None:
        return 1
    sizes = {content["size"] for content in goal.directory.ranks().values()}
    return max(sizes) - 1 if sizes else None


def _look(scheduler_file: Path, state: _WaitState) -> None:
    """Update ``state``."""
    state.answered, state.names = False, frozenset()
    _use_configuration(scheduler_file, state)
    content = _scheduler_content(scheduler_file, state)
    if content is None:
        return
    state.scheduler = content["address"]
    try:
        identity = asyncio.run(_identity(content["address"]))
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        state.stage = f"the scheduler at {content['address']} does not answer ({_short(error)})"
        return
    if identity["id"] != content["id"]:
        state.stage = (
            f"another scheduler answers at {content['address']}: {scheduler_file} is an earlier run's"
        )
        return
    state.answered = True
    state.names = frozenset(str(worker["name"]) for worker in identity["workers"].values())
    state.stage = (
        f"the scheduler at {content['address']} answers and has {counted(len(state.names), 'worker')}"
    )


def _use_configuration(scheduler_file: Path, state: _WaitState) -> None:
    """Use the Dask configuration of the newest start of a named cluster, which may appear during the wait."""
    found = named.configuration(scheduler_file)
    if found is not None and found != state.configuration:
        dask_settings.use_only(found)
        dask_settings.silence()
        state.configuration = found


def _scheduler_content(scheduler_file: Path, state: _WaitState) -> dict[str, Any] | None:
    """Return the content of a complete scheduler file; None if there is none yet."""
    content = read_json(scheduler_file)
    if isinstance(content, dict) and isinstance(content.get("address"), str) and content.get("id"):
        return content
    if scheduler_file.exists():
        state.stage = f"{scheduler_file} exists, but is not a complete scheduler file"
    return None


async def _identity(address: str) -> dict[str, Any]:
    """Ask a scheduler for its ID and workers."""
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
    """Raise if a rank has reported a fault or the launcher has ended."""
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


def _at_deadline(goal: Awaited, wanted: int | None, state: _WaitState) -> int:
    """Return the number of workers if ``min_workers`` allows it, else raise with what is missing."""
    came = len(state.names)
    if goal.min_workers is not None and came >= max(1, goal.min_workers):
        return came
    faults = [
        Fault(
            "cluster",
            f"not ready after {goal.seconds:g} s: {state.stage}"
            + (f" of {wanted} requested" if state.names and wanted else ""),
            "raise --timeout if the machine is slow, or continue with fewer workers (--min-workers)",
        )
    ]
    if goal.directory is not None:
        faults += [*causes(goal.directory), *_missing(goal.directory, state)]
    raise Refusal(ExitCode.DEADLINE, faults, goal.directory.log_tail() if goal.directory else ())


def _missing(directory: ClusterDirectory, state: _WaitState) -> list[Fault]:
    """Return a fault for each rank whose worker is not connected, with the interfaces of its host."""
    ranks = directory.ranks()
    faults = [
        Fault(
            f"rank {rank} on {content['host']}",
            f"its worker did not reach the scheduler{' at ' + state.scheduler if state.scheduler else ''}",
            "interfaces of that host: "
            + "; ".join(f"{name} ({text})" for name, text in content["interfaces"].items() if text),
        )
        for rank, content in sorted(ranks.items())
        if rank != 0 and f"{directory.id}-{rank}" not in state.names
    ]
    if not ranks:
        here = "; ".join(f"{name} ({text})" for name, text in interfaces.addresses().items() if text)
        faults.append(Fault("ranks", "no rank has started MPI", f"interfaces of this host: {here}"))
    return faults


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
