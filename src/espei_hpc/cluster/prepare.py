"""Create the directory of one cluster start, before the launcher runs."""

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
    """Return the default number of ranks.

    In an allocation this is its number of tasks; elsewhere one worker per core that this process
    may use, plus the scheduler, which uses little CPU.

    Args:
        environment: variables of the process.
        one_host: whether all ranks start on this host, even if the allocation has more.
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
    """Return a message if an image's own mpirun leaves hosts of the allocation idle; else None."""
    job = allocation(environment)
    if job is None or not job.nodes or job.nodes == 1:
        return None
    return (
        f"{job.name} has {job.nodes} hosts, but the image's own mpirun uses only this one; "
        "run espei-mpi on the host with --image to use all"
    )


def cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class ClusterRequest:
    """The user's options for a cluster to start.

    Attributes:
        ranks: number of ranks, scheduler included; None to use as many as the launcher starts.
        interface: network interface; None to choose.
        encrypted: whether all connections need the certificate of this start.
        user_code: directory of the user's Python modules; None for none.
        worker_interface: network interface of the workers if another.
        scheduler_port: port of the scheduler; None for any.
        worker_ports: range of the workers' ports, FIRST:LAST; None for any.
    """

    ranks: int | None = None
    interface: str | None = None
    encrypted: bool = True
    user_code: Path | None = None
    worker_interface: str | None = None
    scheduler_port: int | None = None
    worker_ports: str | None = None

    def settings(self, scheduler_file: Path) -> Settings:
        """Return the settings for the ranks. Unencrypted, they use loopback unless an interface is named."""
        interface = self.interface or (None if self.encrypted else LOOPBACK)
        code = str(self.user_code.absolute()) if self.user_code else None
        return Settings(
            *(self.ranks, str(scheduler_file), interface, self.encrypted, code),
            *(self.worker_interface, self.scheduler_port, self.worker_ports),
        )


def own_cluster(run_directory: Path, wanted: ClusterRequest) -> ClusterDirectory:
    """Prepare a cluster for one fit, with the scheduler file in its own directory."""
    cluster_id = new_id()
    scheduler_file = run_directory.resolve() / CLUSTER / cluster_id / SCHEDULER
    return _prepare(run_directory, wanted.settings(scheduler_file), cluster_id)


def named_cluster(scheduler_file: Path, wanted: ClusterRequest) -> ClusterDirectory:
    """Prepare a cluster with a scheduler file named by the user, for stock ``espei`` to connect to.

    Stock ``espei`` connects with the Dask configuration at ``named.offered``. An old scheduler file is
    removed, so that no client reads an outdated address.

    Raises:
        Refusal: (CANNOT_CREATE) if the file's directory cannot be written; (UNAVAILABLE) if a running
            cluster uses the file.
    """
    scheduler_file = scheduler_file.resolve()
    dask_settings.use_only(None)
    dask_settings.silence()
    if answers(scheduler_file):
        fault = Fault(
            str(scheduler_file),
            "a running cluster already uses this file, and two fits must not share a cluster",
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
