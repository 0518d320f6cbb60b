"""What earlier starts of a cluster have left in a run directory: logs worth keeping, keys that are not."""

import shutil
from pathlib import Path

from espei_hpc.rundir.cluster_directory import ClusterDirectory

KEPT = 10
"""So many starts' logs are kept; a series of jobs that are killed must not fill a disk."""


def tidy(run_directory: Path, but: str | None = None) -> None:
    """Remove the keys of earlier starts, and the oldest starts altogether.

    Only for who knows that none of them is in use. What was killed could not do it itself.

    Args:
        run_directory: the run directory.
        but: the start that is in use; None if there is none.
    """
    run_directory = run_directory.resolve()
    names = sorted(path.parent.name for path in run_directory.glob("cluster/*/settings.json"))
    earlier = [ClusterDirectory(run_directory, name) for name in names if name != but]
    for start in earlier[:-KEPT]:
        start.remove()
    for start in earlier[-KEPT:]:
        # A rank that nobody could end ends by this.
        start.end()
        start.remove_keys()
        shutil.rmtree(start.scratch, ignore_errors=True)
