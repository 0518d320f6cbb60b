"""Clean up after earlier cluster starts in a run directory: keep recent logs, remove keys."""

import shutil
from pathlib import Path

from espei_hpc.rundir.cluster_directory import ClusterDirectory

KEPT = 10
"""Starts whose logs are kept; a series of killed jobs must not fill the disk."""


def tidy(run_directory: Path, but: str | None = None) -> None:
    """Remove the keys of earlier starts, and all files of the oldest.

    Killed starts could not clean up themselves. The caller must be sure that none of them is in use.

    Args:
        run_directory: the run directory.
        but: ID of the start in use; None if there is none.
    """
    run_directory = run_directory.resolve()
    names = sorted(path.parent.name for path in run_directory.glob("cluster/*/settings.json"))
    earlier = [ClusterDirectory(run_directory, name) for name in names if name != but]
    for start in earlier[:-KEPT]:
        start.remove()
    for start in earlier[-KEPT:]:
        # Ends ranks that are still running.
        start.end()
        start.remove_keys()
        shutil.rmtree(start.scratch, ignore_errors=True)
