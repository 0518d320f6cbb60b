"""Which cluster a fit uses: one started by espei-mpi, one started by the user, or this machine's cores."""

from dataclasses import dataclass
from pathlib import Path

from espei_hpc.cluster import prepare, readiness
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.inputs import Problem
from espei_hpc.rundir.cluster_directory import ClusterDirectory


@dataclass(frozen=True)
class ClusterOptions:
    """The cluster requested by the user or by espei-mpi.

    Attributes:
        run_directory: the run directory.
        cluster_id: id of a cluster start in it; None for none.
        scheduler_file: scheduler file of a cluster that the user started; None for none.
        local: whether the fit starts the workers itself.
        workers: number of workers; None for all available.
        min_workers: after the timeout, continue with at least this many workers.
        timeout: seconds to wait for the cluster; None for a time that depends on its size.
    """

    run_directory: Path
    cluster_id: str | None
    scheduler_file: Path | None
    local: bool
    workers: int | None
    min_workers: int | None
    timeout: float | None


@dataclass(frozen=True)
class Where:
    """The cluster that a fit uses.

    Attributes:
        directory: directory of our own cluster, which ends with the fit; None for the user's cluster.
        scheduler_file: the file with the scheduler's address.
        local: whether the fit starts the workers itself.
        goal: what to wait for.
    """

    directory: ClusterDirectory | None
    scheduler_file: Path
    local: bool
    goal: readiness.Awaited


def find(problem: Problem, wanted: ClusterOptions) -> Where:
    """Find the cluster for a problem.

    Raises:
        Refusal: (USAGE) if none is named; (CANNOT_CREATE) if the directory of a local one cannot be created.
    """
    workers, directory = wanted.workers, None
    if wanted.cluster_id is not None:
        directory = ClusterDirectory(wanted.run_directory.resolve(), wanted.cluster_id)
    elif wanted.local:
        directory = prepare.own_cluster(wanted.run_directory, prepare.ClusterRequest())
        workers = workers or prepare.cores()
    if directory is not None:
        scheduler_file = directory.scheduler_file
    else:
        scheduler_file = wanted.scheduler_file or _named_in_input(problem)
    seconds = wanted.timeout
    if seconds is None:
        seconds = readiness.patience(workers or (directory.settings().ranks if directory else None))
    goal = readiness.Awaited(scheduler_file, workers, wanted.min_workers, seconds, directory)
    return Where(directory, scheduler_file, wanted.local, goal)


def _named_in_input(problem: Problem) -> Path:
    named = (problem.settings.get("mcmc") or {}).get("scheduler")
    if not named or named == "dask":
        fault = Fault(
            "cluster",
            "not specified",
            "use --scheduler-file, set mcmc.scheduler in the input, or start everything with espei-mpi",
        )
        raise Refusal(ExitCode.USAGE, [fault])
    return Path(named)
