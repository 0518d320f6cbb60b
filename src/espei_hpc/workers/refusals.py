"""Why a pool ends, in the words a user reads."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import distributed

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.text import counted
from espei_hpc.workers.remote import Remote

LAST = 20
"""Lines of details that a user still reads."""


def no_evaluator(remotes: Sequence[Remote]) -> Refusal:
    """No worker could make its evaluator: told by the first."""
    first, trouble = next((remote, remote.trouble) for remote in remotes if remote.trouble)
    what = (
        f"none of {counted(len(remotes), 'worker')} could make its evaluator: {trouble.error} ({first.used})"
    )
    return Refusal(ExitCode.FAILED, [Fault(str(first), what)], trouble.traceback.splitlines()[-LAST:])


def no_worker(seconds: float, making: Sequence[Remote], notes: Sequence[str]) -> Refusal:
    """No worker is ready, and none came in time."""
    if making:
        what = f"no worker made its evaluator within {seconds:.0f} s"
        cure = "see whether its files can be read quickly there, and whether its host is overloaded"
        return Refusal(ExitCode.DEADLINE, [Fault("cluster", what, cure)], _named(making))
    what = f"it has had no worker for {seconds:.0f} s"
    return Refusal(ExitCode.UNAVAILABLE, [Fault("cluster", what)], notes[-LAST:])


def no_answer(seconds: float, jobs: int, remotes: Sequence[Remote]) -> Refusal:
    """Jobs are out, and nothing comes back."""
    what = f"no worker has answered for {seconds:.0f} s, and {counted(jobs, 'evaluation')} awaited"
    return Refusal(ExitCode.DEADLINE, [Fault("cluster", what, "see whether they hang")], _named(remotes))


def scheduler_lost(client: distributed.Client, seconds: float) -> Refusal:
    """The connection to the scheduler is gone."""
    what = f"the connection was lost and did not come back within {seconds:.0f} s"
    scheduler = getattr(client.scheduler, "address", "") or ""
    return Refusal(ExitCode.UNAVAILABLE, [Fault(f"scheduler {scheduler}".strip(), what)])


def other_description(remote: Remote, first: Any, other: Any) -> Refusal:
    """A worker made another evaluator than the first one."""
    what = "what it made from the same input differs from what the first worker made: " + ", ".join(
        _differences(first, other)
    )
    cure = "give all hosts the same versions and the same files"
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
