"""Looking again and again, until there is nothing more to see."""

from collections.abc import Sequence

from espei_hpc.rundir.status.run import FitState, Status

RESTART_SECONDS = 60.0
"""A cluster that is lost is started again by the script that lost it, which takes less than this."""
OVER = (FitState.FINISHED, FitState.STOPPED, FitState.FAILED)


class Ending:
    """Knows when all runs have ended."""

    def __init__(self) -> None:
        self._lost_since: float | None = None

    def reached(self, statuses: Sequence[Status], now: float) -> bool:
        """Whether no run goes on, or is still to begin.

        Args:
            statuses: of the runs, looked at now.
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
