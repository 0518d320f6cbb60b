"""Looking for what a fit cannot go on without: its cluster, and the script that started it."""

import contextlib
from collections.abc import Callable

import psutil

from espei_hpc.rundir.cluster_directory import ClusterDirectory

SUPERVISOR_GONE = "the script that started the fit is gone"
KILLED_CODES = ("137", "9")
"""What Open MPI and MPICH end with when a rank was killed by signal 9."""
KILLED = ": a rank was killed, most often for want of memory (ask for more, or for fewer ranks on each node)"


def lost_cluster(directory: ClusterDirectory) -> Callable[[], str | None]:
    """Return what looks whether the launcher has ended, and says why."""

    def look() -> str | None:
        code = directory.launcher_ended()
        if code is None:
            return None
        why = KILLED if code in KILLED_CODES else ""
        return f"the launcher ended with exit code {code}{why}"

    return look


def lost_supervisor(pid: int) -> Callable[[], str | None]:
    """Return what looks whether a process has ended."""
    try:
        supervisor = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return lambda: SUPERVISOR_GONE

    def look() -> str | None:
        # psutil knows a process from a later one with its number; one that nobody has waited for is over too.
        with contextlib.suppress(psutil.NoSuchProcess):
            if supervisor.is_running() and supervisor.status() != psutil.STATUS_ZOMBIE:
                return None
        return SUPERVISOR_GONE

    return look
