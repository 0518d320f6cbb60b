"""The newest start of a cluster in a run directory, as its files tell."""

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
    """One start of a cluster.

    Attributes:
        id: its name in the run directory.
        named: whether the user named its scheduler file, so that it is for any fit.
        asked: ranks asked for; None for as many as the launcher gives.
        ranks: ranks that came up, by host.
        host: the scheduler's; None where it is not told.
        container: the engine, if that is the name of a container; empty if it is not, or not told.
        address: the scheduler's, as Dask has it; None while there is none.
        port: of its HTTP server, on its host's loopback; None while there is none.
        over: whether nobody needs it any more.
        log: what launcher and ranks printed; None if there is nothing.
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
    """Look at the newest start of a cluster; None if there is none, or it goes at this moment."""
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        if start := named.newest_in(run_directory):
            return _look(start)
    return None


def _look(start: ClusterDirectory) -> Cluster:
    settings = start.settings()
    ranks = start.ranks()
    told = _scheduler(start.scheduler_file)
    return Cluster(
        id=start.id,
        named=start.scheduler_file.parent != start.path,
        asked=settings.ranks,
        ranks=dict(Counter(str(told["host"]) for _, told in sorted(ranks.items()))),
        host=ranks[0]["host"] if 0 in ranks else None,
        container=str(ranks[0].get("container", "")) if 0 in ranks else "",
        address=told.get("address"),
        port=told.get("services", {}).get(PAGES),
        over=start.ended(),
        log=start.launcher_log if start.launcher_log.exists() else None,
    )


def _scheduler(path: Path) -> dict[str, Any]:
    told = read_json(path)
    return told if isinstance(told, dict) else {}
