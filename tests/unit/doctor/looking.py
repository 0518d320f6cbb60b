"""Examines from a process of its own, in which a test has spoilt something first."""

import ctypes
import multiprocessing
import os
import subprocess
import traceback
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from espei_hpc.doctor import Line, Options, examination, examine
from needs import require

# As in sched.h: what unshare(2) takes.
MOUNTS = 0x00020000
HOST_NAME = 0x04000000
NETWORK = 0x40000000
USERS = 0x10000000
PATIENCE = 60.0


def look(
    directory: Path,
    spoil: str | Callable[[], object] = ":",
    *,
    namespaces: int = 0,
    ranks: int | None = None,
    variables: Mapping[str, str] | None = None,
) -> dict[str, Line]:
    """Return the cheap lines by topic.

    Args:
        directory: that is looked at.
        spoil: what comes first: bash, or a call in that process.
        namespaces: that the process has for itself alone.
        ranks: that are to be started.
        variables: added to the environment.
    """
    if namespaces:
        require("user namespaces")
    options = Options(directory, cheap=True, ranks=ranks, environment={**os.environ, **(variables or {})})

    def spoil_and_look(answer: Connection) -> None:
        try:
            _unshare(namespaces)
            if isinstance(spoil, str):
                subprocess.run(["bash", "-ec", spoil], check=True)
            else:
                spoil()
            examination.CHEAP_SECONDS = PATIENCE / 2  # the machine may be busy
            answer.send(examine(options))
        except BaseException:
            answer.send(traceback.format_exc())

    # Forked: nothing is imported anew, which would take most of the time.
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=spoil_and_look, args=[there])
    process.start()
    assert here.poll(PATIENCE), "no answer"
    seen = here.recv()
    process.join()
    assert isinstance(seen, list), seen
    return {line.topic: line for line in seen}


def libc() -> ctypes.CDLL:
    """Return the C library, for calls that Python has no names for."""
    return ctypes.CDLL(None, use_errno=True)


def _unshare(namespaces: int) -> None:
    user, group = os.getuid(), os.getgid()
    if namespaces and user != 0:
        # Others may have the rest only as root of users of their own.
        namespaces |= USERS
    if libc().unshare(namespaces) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    if namespaces & USERS:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    if namespaces & MOUNTS:
        # Else what is mounted here is mounted for all.
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
