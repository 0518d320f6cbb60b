"""The status of a run, as text for people."""

import time
from collections.abc import Mapping
from typing import Any

from espei_hpc.rundir.figures import PREPARING, duration
from espei_hpc.rundir.progress_file import Progress
from espei_hpc.rundir.status.cluster import Cluster
from espei_hpc.rundir.status.holding import Holding
from espei_hpc.rundir.status.run import FitState, Status
from espei_hpc.sampler.moves import STRETCH
from espei_hpc.text import counted

PAGE = "info/main/workers.html"
"""The page of the scheduler's HTTP server that is linked."""
SHOWN = 6
"""Maximum number of hosts shown; --json has all."""
OWN_PORT = 8787
"""Local port of the SSH tunnel to the dashboard: Dask's default port."""
RUNNING = (FitState.BEGINNING, FitState.SAMPLING)


def lines(status: Status) -> list[str]:
    """Return the lines of a run; all but the first are indented."""
    parts = [_figures(status.progress)] if status.progress and status.state is FitState.SAMPLING else []
    parts += [_process(status.holding)] if status.holding else []
    if status.cluster is not None:
        living = not status.cluster.over and (status.state in RUNNING or status.state is FitState.CLUSTER)
        parts += _cluster(status, status.cluster) if living else _left(status.cluster)
    return [f"{status.run.name}: {_first(status)}", *(f"    {line}" for line in parts)]


def _first(status: Status) -> str:
    if status.state is FitState.NEVER:
        return str(status.state)
    if status.state is FitState.CLUSTER:
        over = status.cluster is not None and status.cluster.over
        return f"{status.state}, {'ended' if over else 'running, according to its files'}"
    if status.best_fit is not None:
        return f"{status.state}{_why(status)}, search for the best fit{_found(status.best_fit)}"
    saved = counted(status.saved if status.asked is None else status.asked, "iteration")
    of = f"{status.saved} of " if status.asked is not None else ""
    last = f", the last {_ago(status.saved_ago)}" if status.saved_ago is not None and status.saved else ""
    sampler = "" if status.sampler == STRETCH else f", sampler {status.sampler}"
    return f"{status.state}{_why(status)}, {of}{saved} saved{last}{sampler}"


def _found(best_fit: Mapping[str, Any]) -> str:
    if not best_fit:
        return ""
    evaluations = counted(best_fit["evaluations"], "evaluation")
    return f": log-probability {best_fit['log_probability']:.2f} after {evaluations}"


def _figures(progress: Progress) -> str:
    """Return the known figures of a running fit."""
    left, job_left = progress.left, progress.job_end and progress.job_end - time.time()
    parts = {
        "iteration {:.0f}": progress.iteration,
        "log-probability best {:.2f}": progress.best,
        "median {:.2f}": progress.median,
        "acceptance {:.2f}": progress.acceptance,
        PREPARING: True if progress.seconds_per_iteration is None else None,
        "{:.3g} s per iteration": progress.seconds_per_iteration,
        "{} left": None if left is None else duration(left),
        "{}": None if progress.workers is None else counted(progress.workers, "worker"),
        "{:.0%} busy": progress.efficiency,
        "job {} left": None if job_left is None else duration(max(0.0, job_left)),
    }
    return ", ".join(form.format(value) for form, value in parts.items() if value is not None)


def _why(status: Status) -> str:
    if status.state not in (FitState.STOPPED, FitState.FAILED, FitState.LOST):
        return ""
    if status.ended is not None:
        return f" (exit code {status.ended})"
    away = status.holding is not None and status.holding.alive is None
    return " (probably)" if away else " (killed: no exit status recorded)"


def _process(holding: Holding) -> str:
    who = str(holding.holder) if holding.holder else "a process that is just starting"
    if holding.alive is None:
        return f"{who}: on another host, last seen {_ago(holding.touched)}"
    return f"{who}: {'running' if holding.alive else 'ended'}"


def _cluster(status: Status, cluster: Cluster) -> list[str]:
    host = status.scheduler_host
    parts = [f"cluster: {_ranks(cluster)}"]
    if cluster.address:
        parts[0] += f"; scheduler on {host or 'an unknown host'}, {cluster.address}"
    if cluster.port is not None and host is not None:
        parts.append(f"Dask's dashboard: {_pages(host, cluster.port, status.scheduler_container)}")
    return parts


def _pages(host: str, port: int, container: str) -> str:
    if container:  # whose name means nothing to ssh
        return (
            f"only inside the {container} container {host}, at http://127.0.0.1:{port}/{PAGE}; "
            "also on its host if the container was started with --network host"
        )
    return f"ssh -N -L {OWN_PORT}:127.0.0.1:{port} {host}  then http://127.0.0.1:{OWN_PORT}/{PAGE}"


def _left(cluster: Cluster) -> list[str]:
    return [f"log of the last cluster: {cluster.log}"] if cluster.log else []


def _ranks(cluster: Cluster) -> str:
    up = sum(cluster.ranks.values())
    if up == 0 and cluster.asked is None:
        return "workers without MPI" if cluster.address else "no rank has started yet"
    of = f" of {cluster.asked}" if cluster.asked not in (None, up) else ""
    return f"{counted(up, 'rank') if not of else f'{up}{of} ranks'}{_hosts(cluster.ranks)}"


def _hosts(ranks: Mapping[str, int]) -> str:
    named = [f"{number} on {host}" for host, number in ranks.items()]
    more = f" and {counted(len(named) - SHOWN, 'more host')}" if len(named) > SHOWN else ""
    return f" ({', '.join(named[:SHOWN])}{more})" if named else ""


def _ago(seconds: float) -> str:
    """Format an age; negative ones are shown as 0 s, since a file server's clock may be ahead."""
    seconds = max(0, round(seconds))
    if seconds < 120:
        return f"{seconds} s ago"
    minutes, hours = seconds // 60, seconds // 3600
    return f"{minutes} min ago" if minutes < 120 else f"{hours} h ago"
