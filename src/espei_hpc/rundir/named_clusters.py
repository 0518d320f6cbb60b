"""Clusters with a scheduler file named by the user: their starts, and how clients connect to them."""

from pathlib import Path

from espei_hpc.rundir.cluster_directory import CLUSTER, DASK, SETTINGS, ClusterDirectory


def run_directory(scheduler_file: Path) -> Path:
    """Return the run directory of a cluster with a scheduler file named by the user."""
    return scheduler_file.with_suffix(".run")


def newest_start(scheduler_file: Path) -> ClusterDirectory | None:
    """Return the newest start of such a cluster; None if espei-hpc did not start it."""
    return newest_in(run_directory(scheduler_file.resolve()))


def newest_in(place: Path) -> ClusterDirectory | None:
    """Return the newest cluster start in a run directory; None if there is none."""
    ids = sorted(path.parent.name for path in place.glob(f"{CLUSTER}/*/{SETTINGS}"))
    return ClusterDirectory(place, ids[-1]) if ids else None


def configuration(scheduler_file: Path) -> Path | None:
    """Return Dask's configuration of such a cluster; None if espei-hpc did not start it."""
    start = newest_start(scheduler_file)
    return start.dask_config if start and start.dask_config.exists() else None


def offered(scheduler_file: Path) -> Path:
    """Return the path of the configuration's copy for other clients, such as stock ``espei``."""
    return run_directory(scheduler_file) / DASK
