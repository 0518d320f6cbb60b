"""Ranks without MPI, under a launcher that tells each its number and how many there are.

MPI gives a rank nothing but that and a barrier. Where no MPI here can reach the
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

POLL_SECONDS = 0.5
PART_OF_PATIENCE = 0.75
"""The ranks give up before those who wait for the cluster: they know which of them is missing."""
SHOWN = 5
"""So many missing ranks are named; a thousand would hide the message."""
T = TypeVar("T")


def meet(
    directory: ClusterDirectory, found: RankPlace, why: str, seconds: float | None = None
) -> world.World:
    """Wait until every rank has come, and return the world, as MPI would.

    Args:
        directory: the start of the cluster.
        found: this rank's place.
        why: why there is no MPI.
        seconds: how long to wait for each other; None for as long as their number deserves.

    Raises:
        Refusal: (CONFIGURATION, USAGE) if number and numbers of the ranks are not as they should be;
            (DEADLINE) if not all come; in rank 0 also another rank's own.
    """
    world.prove_size(found.size, directory.settings().ranks)
    host = socket.gethostname()
    _claim(directory, found, host, why)
    meeting = directory.world_file
    # Only one looks at everybody's file: a thousand ranks would read a million.
    if found.rank == 0:
        ranks = await_ranks(directory, found.size, lambda: _all(directory, found.size), seconds)
        in_order = [ranks[rank] for rank in range(found.size)]
        network = interfaces.shared({told["host"]: told["networks"] for told in in_order})
        pass_json(meeting, {"hosts": [told["host"] for told in in_order], "network": network})
    told = await_ranks(directory, found.size, lambda: read_json(meeting), seconds)
    hosts = tuple(told["hosts"])
    return world.World(found.rank, found.size, hosts, "none", without_mpi=why, network=told["network"])


def _claim(directory: ClusterDirectory, found: RankPlace, host: str, why: str) -> None:
    """Take this rank's number, which nobody else may have."""
    if found.rank >= found.size:
        raise _misnumbered(f"a rank {found.rank} was started, though {found.launcher} tells of {found.size}")
    path = directory.rank_file(found.rank)
    told = world.introduction(found.rank, found.size, host, "none") | {"without_mpi": why}
    try:
        with path.open("x") as file:
            json.dump(told, file)
    except FileExistsError as error:
        other = read_json(path) or {}
        first = f"process {other.get('pid', '?')} on {other.get('host', '?')}"
        what = f"two ranks have the number {found.rank}: {first} and process {os.getpid()} on {host}"
        raise _misnumbered(what) from error


def _misnumbered(what: str) -> Refusal:
    cure = "the launcher must give each rank a number of its own, from 0, and their true count"
    return Refusal(ExitCode.CONFIGURATION, [Fault("ranks", what, cure)])


def _all(directory: ClusterDirectory, size: int) -> dict[int, dict[str, Any]] | None:
    """Return what all ranks have told; None until they have."""
    if refusal := directory.faults():
        raise refusal
    ranks = directory.ranks()
    return ranks if len(ranks) == size else None


def await_ranks(
    directory: ClusterDirectory, size: int, look: Callable[[], T | None], seconds: float | None = None
) -> T:
    """Wait until ``look`` returns something other than None, and return that.

    Args:
        directory: the start of the cluster.
        size: number of ranks.
        look: is asked again and again.
        seconds: how long; None for as long as their number deserves.

    Raises:
        Refusal: (DEADLINE) naming the ranks that have not come.
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
        what = f"after {seconds:g} s {len(missing)} of {size} have not come: rank {named}"
    else:
        what = f"after {seconds:g} s rank 0, though it came, has not started the scheduler"
    cure = f"the launcher's log may say why: {directory.launcher_log}"
    return Refusal(ExitCode.DEADLINE, [Fault("ranks", what, cure)])
