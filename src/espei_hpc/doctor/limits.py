"""What the system grants this process: cores, threads, open files."""

import resource
from collections.abc import Iterator
from pathlib import Path

from espei_hpc.cluster.prepare import cores as usable_cores
from espei_hpc.doctor.finding import Line, fault, ok, warning
from espei_hpc.doctor.options import Options

FILES_OF_A_PROCESS = 64
FILES_FOR_A_RANK = 4
"""Three were measured for each of 2 to 12 workers in Dask's scheduler while results were fetched."""
CGROUPS = Path("/sys/fs/cgroup")


def cores(options: Options) -> list[Line]:
    """Compare the cores this process may use with the ranks of a fit."""
    topic = "cores"
    usable = usable_cores()
    share = quota()
    if share is not None and share < usable:
        seen = f"{usable} are in sight, but a quota grants the time of {share:g}"
        return [
            warning(topic, seen, f"start no more than {int(share) + 1} ranks here, or ask for more cores")
        ]
    ranks = options.ranks_on_a_host
    seen = f"{usable} may be used"
    # The scheduler's rank needs hardly any.
    if ranks > usable + 1:
        cure = "ask for a core for each rank, or start fewer ranks with -n"
        return [warning(topic, f"{seen} by {ranks} ranks: they take turns", cure)]
    return [ok(topic, seen)]


def quota() -> float | None:
    """Return how many cores' time the control groups of this process grant; None without a limit."""
    limits = [limit for directory in _groups() if (limit := _limit(directory)) is not None]
    return min(limits, default=None)


def threads(options: Options) -> list[Line]:
    """Tell a grant of several cores for each rank, which always runs one thread."""
    topic = "threads"
    each = options.environment.get("SLURM_CPUS_PER_TASK", "1")
    if each not in ("1", ""):
        seen = f"{each} cores for each task, of which a rank uses one"
        return [warning(topic, seen, "ask for more tasks instead (--ntasks N --cpus-per-task 1)")]
    return [ok(topic, "one for each rank")]


def open_files(options: Options) -> list[Line]:
    """Compare the limit of open files with what Dask's scheduler needs for the ranks of a fit."""
    topic = "open files"
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ranks = options.ranks_of_fit
    need = FILES_OF_A_PROCESS + FILES_FOR_A_RANK * ranks
    if soft == resource.RLIM_INFINITY or soft >= need:
        limit = "no limit" if soft == resource.RLIM_INFINITY else f"at most {soft}"
        return [ok(topic, f"{limit}, about {need} are needed for {ranks} ranks")]
    seen = f"at most {soft}, about {need} are needed for {ranks} ranks"
    possible = hard == resource.RLIM_INFINITY or hard >= need
    cure = f"ulimit -n {need}" if possible else f"have the hard limit ({hard}) raised, or start fewer ranks"
    return [fault(topic, seen, cure)]


def cpu_time(options: Options) -> list[Line]:
    """Tell whether processes are ended after some CPU time, as on login nodes."""
    topic = "CPU time"
    soft, _ = resource.getrlimit(resource.RLIMIT_CPU)
    if soft == resource.RLIM_INFINITY:
        return [ok(topic, "no limit")]
    seen = f"a process is ended after {soft} s of it, as on a login node"
    return [warning(topic, seen, "fit inside a batch job")]


def _groups() -> Iterator[Path]:
    """Yield the directories of this process's control groups of CPU time, from its own up."""
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
        # In a container the path may be the host's, and only the group at the top is in sight.
        below = Path(path.lstrip("/"))
        yield from (base / group for group in (below, *below.parents))


def _limit(directory: Path) -> float | None:
    """Return the cores' time that a control group (version 2 or 1) grants; None without a limit."""
    for files in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        try:
            granted, period = " ".join((directory / name).read_text() for name in files).split()
        except (OSError, ValueError):
            continue
        return None if granted in ("max", "-1") else int(granted) / int(period)
    return None
