"""Making the place for one start of a cluster, before any launcher runs."""

import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from espei_hpc.batch import allocation
from espei_hpc.cluster import dask_settings
from espei_hpc.cluster.interfaces import LOOPBACK
from espei_hpc.cluster.readiness import answers
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir import cleanup as earlier
from espei_hpc.rundir import named_clusters as named
from espei_hpc.rundir.cluster_directory import (
    CLUSTER,
    SCHEDULER,
    ClusterDirectory,
    Settings,
    cannot_create,
    create,
    new_id,
)


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


@dataclass(frozen=True)
class ClusterRequest:
    """What the user says about a cluster that is to start.

    Attributes:
        ranks: scheduler and workers; None to take what the launcher gives.
        interface: network interface; None to choose.
        encrypted: whether only who has the certificate of this start may take part.
    """

    ranks: int | None = None
    interface: str | None = None
    encrypted: bool = True

    def settings(self, scheduler_file: Path) -> Settings:
        """Return what the ranks must know. In the clear nothing leaves this host unless it is named how."""
        interface = self.interface or (None if self.encrypted else LOOPBACK)
        return Settings(self.ranks, str(scheduler_file), interface, self.encrypted)


def own_cluster(run_directory: Path, wanted: ClusterRequest) -> ClusterDirectory:
    """Prepare a cluster for one fit, its scheduler file inside its own directory."""
    cluster_id = new_id()
    scheduler_file = run_directory.resolve() / CLUSTER / cluster_id / SCHEDULER
    return _prepare(run_directory, wanted.settings(scheduler_file), cluster_id)


def named_cluster(scheduler_file: Path, wanted: ClusterRequest) -> ClusterDirectory:
    """Prepare a cluster whose scheduler file the user names, for stock ``espei`` to join.

    Stock ``espei`` joins through Dask's configuration, where its user finds it (``named.offered``).
    An old scheduler file is removed, so that nobody reads a dead address.

    Raises:
        Refusal: (CANNOT_CREATE) if the file's place cannot be written; (UNAVAILABLE) if a living
            cluster uses the file.
    """
    scheduler_file = scheduler_file.resolve()
    dask_settings.use_only(None)
    dask_settings.silence()
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
    earlier.tidy(named.run_directory(scheduler_file))
    directory = _prepare(named.run_directory(scheduler_file), wanted.settings(scheduler_file), new_id())
    shutil.copy(directory.dask_config, named.offered(scheduler_file))
    return directory


def _prepare(run_directory: Path, settings: Settings, cluster_id: str) -> ClusterDirectory:
    directory = create(run_directory, settings, cluster_id)
    try:
        dask_settings.write(directory.path, encrypted=settings.encrypted)
    except OSError as error:
        raise cannot_create(run_directory, error) from error
    return directory
