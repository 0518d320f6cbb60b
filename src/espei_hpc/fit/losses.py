"""Watching what a fit cannot run without: its cluster, and the script that started it."""

import contextlib
from collections.abc import Callable

import psutil

from espei_hpc.rundir.cluster_directory import ClusterDirectory

SUPERVISOR_GONE = "the script that started the fit has ended"
KILLED_CODES = ("137", "9")
"""Exit codes of Open MPI and MPICH after a rank was killed by signal 9."""
KILLED = ": a rank was killed, most likely for lack of memory (request more, or run fewer ranks per node)"


def lost_cluster(directory: ClusterDirectory) -> Callable[[], str | None]:
    """Return a function that returns why the launcher has ended, or None while it runs."""

    def look() -> str | None:
        code = directory.launcher_ended()
        if code is None:
            return None
        why = KILLED if code in KILLED_CODES else ""
        return f"the launcher ended with exit code {code}{why}"

    return look


def lost_supervisor(pid: int) -> Callable[[], str | None]:
    """Return a function that says that a process has ended, or returns None while it runs."""
    try:
        supervisor = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return lambda: SUPERVISOR_GONE

    def look() -> str | None:
        # psutil distinguishes a process from a later one with the same number; a zombie counts as ended.
        with contextlib.suppress(psutil.NoSuchProcess):
            if supervisor.is_running() and supervisor.status() != psutil.STATUS_ZOMBIE:
                return None
        return SUPERVISOR_GONE

    return look
