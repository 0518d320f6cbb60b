"""Error messages of the pool."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import distributed

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.text import counted
from espei_hpc.workers.remote import Remote

LAST = 20
"""Maximum number of lines of details."""


def no_evaluator(remotes: Sequence[Remote]) -> Refusal:
    """No worker could build its evaluator; reports the error of the first one."""
    first, trouble = next((remote, remote.trouble) for remote in remotes if remote.trouble)
    workers = counted(len(remotes), "worker")
    what = f"none of {workers} could build the likelihood: {trouble.error} ({first.used})"
    return Refusal(ExitCode.FAILED, [Fault(str(first), what)], trouble.traceback.splitlines()[-LAST:])


def no_worker(seconds: float, making: Sequence[Remote], notes: Sequence[str]) -> Refusal:
    """No worker is ready in time."""
    if making:
        what = f"no worker built the likelihood within {seconds:.0f} s"
        cure = "check whether the file system is slow or the hosts are overloaded"
        return Refusal(ExitCode.DEADLINE, [Fault("cluster", what, cure)], _named(making))
    what = f"no worker for {seconds:.0f} s"
    return Refusal(ExitCode.UNAVAILABLE, [Fault("cluster", what)], notes[-LAST:])


def no_answer(seconds: float, jobs: int, remotes: Sequence[Remote]) -> Refusal:
    """No worker has returned a result for too long."""
    what = f"no worker has answered for {seconds:.0f} s, with {counted(jobs, 'evaluation')} unfinished"
    return Refusal(ExitCode.DEADLINE, [Fault("cluster", what, "check whether they hang")], _named(remotes))


def scheduler_lost(client: distributed.Client, seconds: float) -> Refusal:
    """The connection to the scheduler is lost."""
    what = f"lost the connection, and could not reconnect within {seconds:.0f} s"
    scheduler = getattr(client.scheduler, "address", "") or ""
    return Refusal(ExitCode.UNAVAILABLE, [Fault(f"scheduler {scheduler}".strip(), what)])


def other_description(remote: Remote, first: Any, other: Any) -> Refusal:
    """A worker has a different evaluator than the first one."""
    what = "its likelihood differs from that of the first worker: " + ", ".join(_differences(first, other))
    cure = "use the same versions and the same files on all hosts"
    return Refusal(ExitCode.CONFIGURATION, [Fault(str(remote), what, cure)])


def _differences(first: Any, other: Any) -> list[str]:
    if is_dataclass(first) and type(first) is type(other):
        pairs = [(name.name, getattr(first, name.name), getattr(other, name.name)) for name in fields(first)]
        return [
            f"{name} {_short(here)} instead of {_short(there)}"
            for name, there, here in pairs
            if here != there
        ]
    return [f"{_short(other)} instead of {_short(first)}"]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def _named(remotes: Iterable[Remote]) -> list[str]:
    named = [f"{remote}, {remote.used}" for remote in remotes]
    return named if len(named) <= LAST else [*named[:LAST], f"and {len(named) - LAST} more"]
