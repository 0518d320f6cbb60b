"""What one MPI rank does: load the right MPI, prove the world, become scheduler or worker.

The Dask part is dask-mpi's own command; this module gives it what it needs to
run ESPEI, and refuses what cannot work.
"""

import contextlib
import ctypes
import json
import os
import signal
import threading
import time
from importlib import import_module

from espei_hpc.cluster import dask_settings, interfaces, mpi_library, world
from espei_hpc.cluster.directory import ClusterDirectory, write_json
from espei_hpc.faults import Refusal

PR_SET_PDEATHSIG = 1
LAUNCHER_POLL_SECONDS = 1.0


def run(directory: ClusterDirectory) -> None:
    """Be one rank of the cluster until it is shut down.

    Raises:
        Refusal: if this rank cannot become part of the cluster; it is also kept
            in the cluster's directory for whoever waits.
    """
    end_with_parent()
    try:
        here = _enter(directory)
        interface = interfaces.choose(directory.settings().interface, on_one_host=here.on_one_host)
    except Refusal as refusal:
        directory.report(world.process_name(os.environ), refusal)
        raise
    if here.rank == 0:
        threading.Thread(target=_end_with_launcher, args=[directory], daemon=True).start()
    dask_settings.use_only(directory.dask_config)
    if here.rank != 0:
        threading.Thread(target=_import_espei, daemon=True).start()
    from dask_mpi.cli import main as dask_mpi

    dask_mpi(dask_mpi_arguments(directory, interface), standalone_mode=False)


def dask_mpi_arguments(directory: ClusterDirectory, interface: str | None) -> list[str]:
    """Return the command line of ``dask-mpi`` for a rank of this cluster.

    ``distributed.Worker`` rather than the default Nanny: a Nanny's child would
    start MPI again with the rank's variables (ESPEI imports emcee 2, which
    imports mpi4py.MPI). Dashboards listen on loopback only.
    """
    settings = directory.settings()
    loopback = "127.0.0.1:0"
    return [
        f"--scheduler-file={settings.scheduler_file}",
        # Any free port: two runs may share a host.
        "--scheduler-port=0",
        f"--protocol={'tls' if settings.encrypted else 'tcp'}",
        *([f"--interface={interface}"] if interface else []),
        "--nthreads=1",
        "--memory-limit=0",
        "--worker-class=distributed.Worker",
        f"--worker-options={json.dumps({'dashboard': False, 'dashboard_address': loopback})}",
        # Nothing is ever spilled there; below the run's own directory it goes with the run.
        f"--local-directory={directory.scratch}",
        "--no-dashboard",
        f"--dashboard-address={loopback}",
        f"--name={directory.id}",
    ]


def end_with_parent() -> None:
    """Have the kernel end this process when the one that started it dies.

    Open MPI 5 leaves its ranks running when mpirun is killed.
    """
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _import_espei() -> None:
    """Have ESPEI at hand when the first evaluation comes: it takes seconds, while the fit reads its input."""
    # Whoever needs it says what is wrong with it.
    with contextlib.suppress(Exception):
        import_module("espei.espei_script")


def _enter(directory: ClusterDirectory) -> world.World:
    mpi_library.choose(os.environ)
    here = world.enter(os.environ)
    world.prove(here, directory.settings().ranks, os.environ)
    told = {
        "rank": here.rank,
        "size": here.size,
        "host": here.hosts[here.rank],
        "pid": os.getpid(),
        "library": here.library,
        "interfaces": interfaces.addresses(),
    }
    write_json(directory.rank_file(here.rank), told)
    return here


def _end_with_launcher(directory: ClusterDirectory) -> None:
    """End the scheduler, and with it the cluster, when nobody needs it any more."""
    while not directory.ended():
        time.sleep(LAUNCHER_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
