"""The cluster without MPI: Dask's LocalCluster on this machine's cores."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from espei_hpc.rundir.cluster_directory import ClusterDirectory


@contextmanager
def running(directory: ClusterDirectory, workers: int) -> Iterator[None]:
    """Run a cluster of single-threaded workers, with its scheduler file in ``directory``.

    The directory's Dask configuration, with its certificates, must be active already.
    """
    import distributed

    with distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        memory_limit=0,
        host="tls://127.0.0.1",
        protocol="tls://",
        security=distributed.Security(),
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        worker_dashboard_address="127.0.0.1:0",
        local_directory=str(directory.scratch),
        silence_logs=logging.CRITICAL,
    ) as cluster:
        with distributed.Client(cluster, set_as_default=False) as client:
            client.write_scheduler_file(str(directory.scheduler_file))
        yield
