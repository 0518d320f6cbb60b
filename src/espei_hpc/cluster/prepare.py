"""Making the place for one start of a cluster, before any launcher runs."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path

from espei_hpc.batch import allocation
from espei_hpc.cluster import dask_settings
from espei_hpc.cluster.directory import ClusterDirectory, Settings, cannot_create, create, new_id
from espei_hpc.cluster.readiness import answers
from espei_hpc.exit_codes import ExitCode
from espei_hpc.faults import Fault, Refusal


def default_ranks(environment: Mapping[str, str], one_host: bool = False) -> int:
    """Return how many ranks to start where the user names no number.

    In an allocation as many as it grants; elsewhere one worker for each core
    this process may use, and the scheduler, which needs hardly any.

    Args:
        environment: the process's variables.
        one_host: whether all ranks start on this host, whatever else is granted.
    """
    job = allocation(environment)
    if job is None or job.ranks is None:
        return cores() + 1
    here = job.ranks
    if one_host and job.nodes != 1:
        names = {name.partition(".")[0]: ranks for name, ranks in job.ranks_on.items()}
        here = names.get(socket.gethostname().partition(".")[0], cores() + 1)
    return max(2, here)


def unreached_hosts(environment: Mapping[str, str]) -> str | None:
    """Say which part of an allocation an image's own mpirun leaves idle; None if none."""
    job = allocation(environment)
    if job is None or not job.nodes or job.nodes == 1:
        return None
    return (
        f"{job.name} has {job.nodes} hosts, of which the image's own mpirun uses this one alone; "
        "espei-mpi started on the host, with --image, uses all"
    )


def cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0))


def own_cluster(run_directory: Path, ranks: int | None, interface: str | None) -> ClusterDirectory:
    """Prepare a cluster for one fit: encrypted, its scheduler file inside its own directory."""
    cluster_id = new_id()
    scheduler_file = run_directory.resolve() / "cluster" / cluster_id / "scheduler.json"
    settings = Settings(ranks, str(scheduler_file), interface, encrypted=True)
    return _prepare(run_directory, settings, cluster_id)


def named_cluster(scheduler_file: Path, ranks: int | None, interface: str | None) -> ClusterDirectory:
    """Prepare a cluster whose scheduler file the user names, for stock ``espei`` to join.

    Not encrypted, since ESPEI's documented way has no place for certificates.
    An old scheduler file is removed, so that nobody reads a dead address.

    Raises:
        Refusal: (CANNOT_CREATE) if the file's place cannot be written; (UNAVAILABLE) if a living
            cluster uses the file.
    """
    dask_settings.silence()
    scheduler_file = scheduler_file.resolve()
    if answers(scheduler_file):
        fault = Fault(
            str(scheduler_file),
            "a living cluster already uses this file, and two fits on one cluster spoil each other",
            "name another file",
        )
        raise Refusal(ExitCode.UNAVAILABLE, [fault])
    try:
        scheduler_file.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_create(scheduler_file, error) from error
    settings = Settings(ranks, str(scheduler_file), interface, encrypted=False)
    return _prepare(named_run_directory(scheduler_file), settings, new_id())


def named_run_directory(scheduler_file: Path) -> Path:
    """Return the run directory of a cluster with a hand-named scheduler file."""
    return scheduler_file.with_suffix(".run")


def newest_start(scheduler_file: Path) -> ClusterDirectory | None:
    """Return the newest start of a cluster with a hand-named scheduler file, if it was ours."""
    run_directory = named_run_directory(scheduler_file.resolve())
    ids = sorted(path.parent.name for path in run_directory.glob("cluster/*/settings.json"))
    return ClusterDirectory(run_directory, ids[-1]) if ids else None


def _prepare(run_directory: Path, settings: Settings, cluster_id: str) -> ClusterDirectory:
    directory = create(run_directory, settings, cluster_id)
    try:
        dask_settings.write(directory.path, encrypted=settings.encrypted)
    except OSError as error:
        raise cannot_create(run_directory, error) from error
    return directory
