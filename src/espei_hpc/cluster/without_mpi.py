"""Ranks without MPI, under a launcher that sets each rank's number and their count.

From MPI a rank needs only these and a barrier. If no MPI here works with the
launcher (``srun --mpi=none``, no library, a PMI of another family), the ranks
meet in the cluster's directory instead, and Dask starts as it does with MPI.
"""

import json
import os
import socket
import time
from collections.abc import Callable
from typing import Any, TypeVar

from espei_hpc.cluster import interfaces, readiness, world
from espei_hpc.cluster.place import RankPlace
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.cluster_directory import ClusterDirectory
from espei_hpc.rundir.files import pass_json, read_json
from espei_hpc.text import counted

POLL_SECONDS = 0.5
PART_OF_PATIENCE = 0.75
"""The ranks give up before the process that waits for the cluster: they know which rank is missing."""
SHOWN = 5
"""Number of missing ranks named in a message."""
T = TypeVar("T")


def meet(
    directory: ClusterDirectory, found: RankPlace, why: str, seconds: float | None = None
) -> world.World:
    """Wait for all ranks and return the world, as MPI would.

    Args:
        directory: the cluster start.
        found: this rank's place.
        why: why MPI is not used.
        seconds: timeout of the wait; None for a default by the number of ranks.

    Raises:
        Refusal: (CONFIGURATION, USAGE) if the count or the numbers of the ranks are wrong; (DEADLINE) if
            ranks are missing after the timeout; in rank 0 also another rank's refusal.
    """
    world.prove_size(found.size, directory.settings().ranks)
    host = socket.gethostname()
    _claim(directory, found, host, why)
    meeting = directory.world_file
    # Only rank 0 reads all rank files: a thousand ranks would read a million.
    if found.rank == 0:
        ranks = await_ranks(directory, found.size, lambda: _all(directory, found.size), seconds)
        in_order = [ranks[rank] for rank in range(found.size)]
        network = interfaces.shared({content["host"]: content["networks"] for content in in_order})
        pass_json(meeting, {"hosts": [content["host"] for content in in_order], "network": network})
    content = await_ranks(directory, found.size, lambda: read_json(meeting), seconds)
    hosts = tuple(content["hosts"])
    return world.World(found.rank, found.size, hosts, "none", without_mpi=why, network=content["network"])


def _claim(directory: ClusterDirectory, found: RankPlace, host: str, why: str) -> None:
    """Claim this rank's number; refuse if another rank has it."""
    if found.rank >= found.size:
        what = f"rank {found.rank} was started, but {found.launcher} reports {counted(found.size, 'rank')}"
        raise _misnumbered(what)
    path = directory.rank_file(found.rank)
    content = world.introduction(found.rank, found.size, host, "none") | {"without_mpi": why}
    try:
        with path.open("x") as file:
            json.dump(content, file)
    except FileExistsError as error:
        other = read_json(path) or {}
        first = f"process {other.get('pid', '?')} on {other.get('host', '?')}"
        what = f"two ranks have the number {found.rank}: {first} and process {os.getpid()} on {host}"
        raise _misnumbered(what) from error


def _misnumbered(what: str) -> Refusal:
    cure = "the launcher must number the ranks from 0 and report their count correctly"
    return Refusal(ExitCode.CONFIGURATION, [Fault("ranks", what, cure)])


def _all(directory: ClusterDirectory, size: int) -> dict[int, dict[str, Any]] | None:
    """Return the content of all rank files; None while some are missing."""
    if refusal := directory.faults():
        raise refusal
    ranks = directory.ranks()
    return ranks if len(ranks) == size else None


def await_ranks(
    directory: ClusterDirectory, size: int, look: Callable[[], T | None], seconds: float | None = None
) -> T:
    """Poll ``look`` until it returns something other than None, and return that.

    Args:
        directory: the cluster start.
        size: number of ranks.
        look: polled function.
        seconds: timeout; None for a default by the number of ranks.

    Raises:
        Refusal: (DEADLINE) naming the missing ranks.
    """
    patience = readiness.patience(size) * PART_OF_PATIENCE if seconds is None else seconds
    end = time.monotonic() + patience
    while (seen := look()) is None:
        if time.monotonic() >= end:
            raise _late(directory, size, patience)
        time.sleep(POLL_SECONDS)
    return seen


def _late(directory: ClusterDirectory, size: int, seconds: float) -> Refusal:
    missing = sorted(set(range(size)) - directory.ranks().keys())
    named = ", ".join(str(rank) for rank in missing[:SHOWN]) + (", …" if len(missing) > SHOWN else "")
    if missing:
        what = f"after {seconds:g} s {len(missing)} of {size} ranks are missing: rank {named}"
    else:
        what = f"after {seconds:g} s rank 0 is up but has not started the scheduler"
    cure = f"see the launcher's log: {directory.launcher_log}"
    return Refusal(ExitCode.DEADLINE, [Fault("ranks", what, cure)])
