"""When ``status --watch`` ends: when all runs have ended."""

from collections.abc import Sequence

from espei_hpc.rundir.status.run import FitState, Status

RESTART_SECONDS = 60.0
"""espei-mpi restarts a lost cluster within this time."""
OVER = (FitState.FINISHED, FitState.STOPPED, FitState.FAILED)


class Ending:
    """Decides whether all runs have ended."""

    def __init__(self) -> None:
        self._lost_since: float | None = None

    def reached(self, statuses: Sequence[Status], now: float) -> bool:
        """Whether all runs have ended, and none will start or resume.

        Args:
            statuses: the current status of each run.
            now: the time, s.
        """
        if not statuses or not all(map(_ended, statuses)):
            self._lost_since = None
            return False
        if all(status.state is not FitState.LOST for status in statuses):
            return True
        if self._lost_since is None:
            self._lost_since = now
        return now - self._lost_since >= RESTART_SECONDS


def _ended(status: Status) -> bool:
    if status.state in (*OVER, FitState.LOST):
        return True
    return status.state is FitState.CLUSTER and status.cluster is not None and status.cluster.over
