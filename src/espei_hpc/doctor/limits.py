"""Limits of this process: cores, threads, open files."""

import resource
from collections.abc import Iterator
from pathlib import Path

from espei_hpc.batch import allocation
from espei_hpc.cluster.prepare import cores as usable_cores
from espei_hpc.doctor.finding import Line, fault, ok, warning
from espei_hpc.doctor.options import Options
from espei_hpc.text import counted

FILES_OF_A_PROCESS = 64
FILES_FOR_A_RANK = 4
"""Three per worker were measured in Dask's scheduler, with 2 to 12 workers, while results were fetched."""
CGROUPS = Path("/sys/fs/cgroup")


def cores(options: Options) -> list[Line]:
    """Compare the cores that this process may use with the ranks of a fit."""
    topic = "cores"
    usable = usable_cores()
    share = quota()
    if share is not None and share < usable:
        seen = f"{usable} are visible, but the CPU quota is {share:g} {'core' if share == 1 else 'cores'}"
        cure = f"start at most {counted(int(share) + 1, 'rank')} here, or request more cores"
        return [warning(topic, seen, cure)]
    ranks = options.ranks_on_a_host
    # The scheduler's rank uses little CPU.
    if ranks > usable + 1:
        cure = "request a core for each rank, or start fewer ranks with -n"
        return [warning(topic, f"{ranks} ranks share {counted(usable, 'core')}", cure)]
    return [ok(topic, f"{usable} available")]


def quota() -> float | None:
    """Return the CPU quota of this process's control groups, in cores; None without a limit."""
    limits = [limit for directory in _groups() if (limit := _limit(directory)) is not None]
    return min(limits, default=None)


def threads(options: Options) -> list[Line]:
    """Warn if the job has several cores per task, since a rank runs one thread."""
    topic = "threads"
    job = allocation(options.environment)
    each = (job and job.cores_per_rank) or 1
    if each > 1:
        seen = f"{each} cores per task, but a rank uses only one"
        return [warning(topic, seen, "request more tasks instead (--ntasks N --cpus-per-task 1)")]
    return [ok(topic, "one per rank")]


def open_files(options: Options) -> list[Line]:
    """Compare the limit of open files with the need of Dask's scheduler for the ranks of a fit."""
    topic = "open files"
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ranks = options.ranks_of_fit
    need = FILES_OF_A_PROCESS + FILES_FOR_A_RANK * ranks
    needed = f"{counted(ranks, 'rank')} {'needs' if ranks == 1 else 'need'} about {need}"
    if soft == resource.RLIM_INFINITY or soft >= need:
        limit = "no limit" if soft == resource.RLIM_INFINITY else f"at most {soft}"
        return [ok(topic, f"{limit}, {needed}")]
    seen = f"at most {soft}, but {needed}"
    possible = hard == resource.RLIM_INFINITY or hard >= need
    raised = f"ask the administrators to raise the hard limit ({hard}), or start fewer ranks"
    cure = f"ulimit -n {need}" if possible else raised
    return [fault(topic, seen, cure)]


def cpu_time(options: Options) -> list[Line]:
    """Warn if processes have a CPU time limit, as on login nodes."""
    topic = "CPU time"
    soft, _ = resource.getrlimit(resource.RLIMIT_CPU)
    if soft == resource.RLIM_INFINITY:
        return [ok(topic, "no limit")]
    seen = f"a process is killed after {soft} s of CPU time, as on a login node"
    return [warning(topic, seen, "run the fit in a batch job")]


def _groups() -> Iterator[Path]:
    """Yield the directories of this process's CPU control groups, from its own upwards."""
    try:
        entries = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    except OSError:
        return
    for number, controllers, path in entries:
        if number == "0":
            base = CGROUPS
        elif "cpu" in controllers.split(","):
            base = CGROUPS / "cpu"
        else:
            continue
        # In a container the path may be the host's, and only the root group is visible.
        below = Path(path.lstrip("/"))
        yield from (base / group for group in (below, *below.parents))


def _limit(directory: Path) -> float | None:
    """Return the CPU quota of a control group (version 2 or 1), in cores; None without a limit."""
    for files in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        try:
            granted, period = " ".join((directory / name).read_text() for name in files).split()
        except (OSError, ValueError):
            continue
        return None if granted in ("max", "-1") else int(granted) / int(period)
    return None
