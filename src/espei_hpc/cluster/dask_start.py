"""Start Dask's scheduler and workers where dask-mpi's own command cannot.

That command needs MPI and only handles interfaces with IPv4 addresses. It still parses the options.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from espei_hpc.cluster import without_mpi
from espei_hpc.cluster.world import World
from espei_hpc.rundir.cluster_directory import ClusterDirectory
from espei_hpc.rundir.files import read_json


def run(directory: ClusterDirectory, here: World, arguments: list[str], host: str | None = None) -> None:
    """Run the scheduler or a worker until the cluster is shut down, as dask-mpi's command does.

    Args:
        directory: the cluster start.
        here: this rank's world.
        arguments: dask-mpi's command line, parsed by dask-mpi itself.
        host: address to listen on instead of its ``--interface``, in the form used before a port.

    Raises:
        Refusal: (DEADLINE) if the scheduler does not start.
    """
    from dask_mpi.cli import main as dask_mpi

    options = dask_mpi.make_context("dask-mpi", arguments).params
    options |= {"host": host, "interface": None} if host else {"host": None}
    if here.rank == 0:
        try:
            asyncio.run(_schedule(options))
        finally:
            # Ranks that are still starting would wait for it forever.
            directory.end()
    else:
        without_mpi.await_ranks(directory, here.size, lambda: read_json(directory.scheduler_file))
        asyncio.run(_work(options, here.rank))


async def _schedule(options: Mapping[str, Any]) -> None:
    import distributed

    same = ("host", "interface", "protocol", "dashboard", "dashboard_address", "scheduler_file")
    kept = {name: options[name] for name in same}
    async with distributed.Scheduler(port=options["scheduler_port"], **kept) as scheduler:
        await scheduler.finished()


async def _work(options: Mapping[str, Any], rank: int) -> None:
    from distributed.utils import import_term

    same = ("host", "interface", "protocol", "nthreads", "memory_limit", "local_directory", "scheduler_file")
    kept = {name: options[name] for name in same} | json.loads(options["worker_options"])
    worker_class = import_term(options["worker_class"])
    async with worker_class(name=f"{options['name']}-{rank}", **kept) as worker:
        await worker.finished()
