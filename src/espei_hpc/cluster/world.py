"""The MPI world of a rank, checked against the launcher's variables.

If launcher and library do not fit, MPI starts without an error and gives every
rank a world of its own. This is detected here, before Dask starts.
"""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from espei_hpc.cluster import interfaces
from espei_hpc.containers import named_container
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi import launchers
from espei_hpc.mpi import library as mpi_library
from espei_hpc.text import counted


@dataclass(frozen=True)
class World:
    """The world as one rank sees it.

    Attributes:
        rank: number of this rank, from 0.
        size: number of ranks.
        hosts: host name of every rank, in rank order.
        library: path of the MPI library; "none" without MPI.
        without_mpi: why the ranks start without MPI; None if they use it.
        network: a network that connects all hosts; None if none is found.
    """

    rank: int
    size: int
    hosts: tuple[str, ...]
    library: str
    without_mpi: str | None = None
    network: str | None = None

    @property
    def on_one_host(self) -> bool:
        """Whether all ranks run on one host."""
        return len(set(self.hosts)) == 1


def process_name(environment: Mapping[str, str]) -> str:
    """Return a name of this rank without using MPI: the launcher's rank, host and process ID."""
    rank = launchers.rank(environment)
    return f"{'x' if rank is None else rank}-{socket.gethostname()}-{os.getpid()}"


def introduction(rank: int, size: int, host: str, library: str) -> dict[str, Any]:
    """Return the content of a rank's file in the cluster's directory."""
    return {
        "networks": interfaces.networks(),
        "rank": rank,
        "size": size,
        "host": host,
        "container": named_container(os.environ),
        "pid": os.getpid(),
        "library": library,
        "interfaces": interfaces.addresses(),
    }


def enter(environment: Mapping[str, str]) -> World:
    """Start MPI and return the world; a collective call of all ranks.

    Raises:
        Refusal: (CONFIGURATION) if MPI cannot be loaded or started.
    """
    try:
        from mpi4py import MPI

        gathered = MPI.COMM_WORLD.allgather((MPI.Get_processor_name(), interfaces.networks()))
        hosts = tuple(host for host, _ in gathered)
        network = interfaces.shared(dict(gathered))
        here = MPI.COMM_WORLD
        return World(here.rank, here.size, hosts, mpi_library.loaded(), network=network)
    except (ImportError, RuntimeError) as error:
        what = f"no MPI library could be loaded ({error}); {mpi_library.describe_launcher(environment)}"
        cure = "install one (images with MPI: espei-hpc help images) or set MPI4PY_LIBMPI to its path"
        raise Refusal(ExitCode.CONFIGURATION, [Fault("MPI", what, cure)]) from error


def prove(world: World, asked: int | None, environment: Mapping[str, str]) -> None:
    """Check the world's size against the launcher's variables and the requested ranks.

    Raises:
        Refusal: (CONFIGURATION) if they differ; (USAGE) if the world is too small for a cluster.
    """
    launched = launchers.size(environment)
    expected = launched if launched is not None else asked
    if expected is not None and world.size != expected:
        started = f"{counted(expected, 'rank')} {'was' if expected == 1 else 'were'} started"
        what = f"{started}, but each sees a world of {world.size} with {world.library}"
        raise mpi_library.mismatch(what, environment)
    prove_size(world.size, asked)


def prove_size(size: int, asked: int | None) -> None:
    """Check a world's size against the requested ranks.

    Raises:
        Refusal: (CONFIGURATION) if they differ; (USAGE) if the world is too small for a cluster.
    """
    if asked is not None and size != asked:
        what = f"the launcher started {counted(size, 'rank')}, but {asked} were requested"
        cure = "make -n and the launcher's options agree"
        raise Refusal(ExitCode.CONFIGURATION, [Fault("MPI", what, cure)])
    if size < 2:
        what = "one rank is too few: one is the scheduler, the others are workers"
        raise Refusal(ExitCode.USAGE, [Fault("MPI", what, "start at least 2 ranks")])
