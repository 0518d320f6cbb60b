"""Which cluster a fit uses: one of our own, one that somebody else started, or this machine's cores."""

from dataclasses import dataclass
from pathlib import Path

from espei_hpc.cluster import prepare, readiness
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.inputs import Problem
from espei_hpc.rundir.cluster_directory import ClusterDirectory


@dataclass(frozen=True)
class ClusterOptions:
    """What the user, or a script of ours, says about the cluster.

    Attributes:
        run_directory: the run's directory.
        cluster_id: a start of a cluster in it; None for none.
        scheduler_file: the file of a cluster that somebody else started; None for none.
        local: whether the fit is to start workers itself.
        workers: number of workers; None for all there are.
        min_workers: go on with as few as this when the deadline has passed.
        timeout: seconds until the cluster must be there; None for as many as its size deserves.
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
    """The cluster a fit uses.

    Attributes:
        directory: the start of a cluster of our own, which ends with the fit; None for somebody else's.
        scheduler_file: where its scheduler tells its address.
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
        Refusal: (USAGE) if none is named; (CANNOT_CREATE) if a local one has no place.
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
            "none is named",
            "give --scheduler-file, or mcmc.scheduler in the input, or start everything with espei-mpi",
        )
        raise Refusal(ExitCode.USAGE, [fault])
    return Path(named)
