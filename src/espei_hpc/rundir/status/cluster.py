"""The newest cluster start in a run directory, read from its files."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from espei_hpc.rundir import named_clusters as named
from espei_hpc.rundir.cluster_directory import ClusterDirectory
from espei_hpc.rundir.files import read_json

PAGES = "dashboard"
"""Dask's name for the scheduler's HTTP server, with and without the dashboard."""


@dataclass(frozen=True)
class Cluster:
    """One cluster start.

    Attributes:
        id: its name in the run directory.
        named: whether the user named its scheduler file, so that any fit may use it.
        asked: ranks requested; None for as many as the launcher starts.
        ranks: number of ranks that have started, by host.
        host: host of the scheduler; None if unknown.
        container: container engine, if ``host`` is the name of a container; otherwise empty.
        address: the scheduler's address, as Dask writes it; None before it has one.
        port: port of its HTTP server, on its host's loopback; None before it has one.
        over: whether it is no longer needed.
        log: output of launcher and ranks; None if there is none.
    """

    id: str
    named: bool
    asked: int | None
    ranks: Mapping[str, int]
    host: str | None
    container: str
    address: str | None
    port: int | None
    over: bool
    log: Path | None


def look(run_directory: Path) -> Cluster | None:
    """Read the newest cluster start; None if there is none, or it is being removed."""
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        if start := named.newest_in(run_directory):
            return _look(start)
    return None


def _look(start: ClusterDirectory) -> Cluster:
    settings = start.settings()
    ranks = start.ranks()
    scheduler = _scheduler(start.scheduler_file)
    return Cluster(
        id=start.id,
        named=start.scheduler_file.parent != start.path,
        asked=settings.ranks,
        ranks=dict(Counter(str(rank["host"]) for _, rank in sorted(ranks.items()))),
        host=ranks[0]["host"] if 0 in ranks else None,
        container=str(ranks[0].get("container", "")) if 0 in ranks else "",
        address=scheduler.get("address"),
        port=scheduler.get("services", {}).get(PAGES),
        over=start.ended(),
        log=start.launcher_log if start.launcher_log.exists() else None,
    )


def _scheduler(path: Path) -> dict[str, Any]:
    scheduler = read_json(path)
    return scheduler if isinstance(scheduler, dict) else {}
