"""Run one rank: load the right MPI, check the world, become scheduler or worker.

Dask is started by dask-mpi's own command; this module passes the options that ESPEI
needs, and refuses what cannot work. If no MPI can be used but the launcher sets rank
and size, ``without_mpi`` replaces MPI. Without MPI, and on IPv6, which dask-mpi does
not support, ``dask_start`` starts Dask.
"""

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from espei_hpc import parent_process, user_code
from espei_hpc.cluster import dask_settings, dask_start, interfaces, place, without_mpi, world
from espei_hpc.environment import SETTINGS
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi import library as mpi_library
from espei_hpc.rundir.cluster_directory import ClusterDirectory, Settings
from espei_hpc.rundir.files import pass_json
from espei_hpc.text import counted

LAUNCHER_POLL_SECONDS = 1.0
END_SECONDS = 30
WORKERS_POLL_SECONDS = 15.0
"""Workers normally end with their scheduler; they check the files only in case it cannot be reached."""


def say_at_once(line: str) -> None:
    """Print a line to the rank's log and flush it, so that a signal cannot discard it."""
    print(line, flush=True)


def run(directory: ClusterDirectory, say: Callable[[str], None] = say_at_once) -> None:
    """Run one rank of the cluster until it is shut down.

    Args:
        directory: the cluster start.
        say: prints a line to the rank's log.

    Raises:
        Refusal: if this rank cannot join the cluster; it is also stored in the
            cluster's directory for the process that waits.
    """
    started_by = _begin()
    # Dask writes the scheduler file with default permissions, perhaps to a directory that others can read.
    os.umask(0o077)
    try:
        if code := directory.settings().user_code:
            user_code.use(Path(code))
        here = _enter(directory, say)
        _clean_up_on_term(started_by)
        chosen = endpoint(directory.settings(), here)
        interface = chosen.interface if chosen else None
        host = chosen.host if chosen else None
        if here.rank == 0 and not here.on_one_host:
            say(f"espei-hpc: the ranks use {interface or 'the interface of the default route'}")
        dask_settings.use_only(directory.dask_config)
        if here.rank != 0:
            threading.Thread(target=_import_espei, daemon=True).start()
        arguments = dask_mpi_arguments(directory, interface)
        if here.without_mpi or host:
            dask_start.run(directory, here, arguments, host)
        else:
            _run_dask_mpi(arguments)
    except Refusal as refusal:
        directory.report(world.process_name(os.environ), refusal)
        # mpirun ends all ranks when one has failed; other launchers, such as srun, may not.
        directory.end()
        raise
    finally:
        _clean_up(started_by)
        # MPI_Finalize waits for all ranks, forever if a host is unreachable.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(END_SECONDS)


def _begin() -> parent_process.Apptainer | None:
    """Make sure that this process ends with its parent, and return that if it is Apptainer."""
    started_by = parent_process.apptainer()
    if started_by:
        # MPICH's launcher kills Apptainer's process group: this process is to clean up after that.
        os.setpgid(0, 0)
    parent_process.end_with_parent()
    return started_by


def _clean_up_on_term(started_by: parent_process.Apptainer | None) -> None:
    """Clean up before SIGTERM ends this process; not while MPI starts, when Python gets no signal."""

    def end(number: int, _: object) -> None:
        _clean_up(started_by)
        os.kill(os.getpid(), number)

    if started_by:
        signal.signal(signal.SIGTERM, end)


def _clean_up(started_by: parent_process.Apptainer | None) -> None:
    """Clean up; from now on SIGTERM ends this process at once."""
    if started_by:
        started_by.clean_up()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def endpoint(settings: Settings, here: world.World) -> interfaces.Endpoint | None:
    """Return where this rank listens; None lets Dask use the interface of the default route.

    Raises:
        Refusal: (CONFIGURATION) if it cannot listen there.
    """
    asked, option = settings.interface, "--interface"
    if here.rank != 0:
        _refuse_few_ports(settings.worker_ports, here)
        if settings.worker_interface:
            asked, option = settings.worker_interface, "--worker-interface"
    return interfaces.choose(asked, on_one_host=here.on_one_host, network=here.network, option=option)


def _refuse_few_ports(ports: str | None, here: world.World) -> None:
    if ports is None:
        return
    first, last = map(int, ports.split(":"))
    host = here.hosts[here.rank]
    workers = here.hosts[1:].count(host)
    if workers > last - first + 1:
        ports_given, ranks_there = counted(last - first + 1, "port"), counted(workers, "worker")
        what = f"{ports} has {ports_given}, but host {host} has {ranks_there}"
        raise Refusal(ExitCode.CONFIGURATION, [Fault("--worker-ports", what, "give each its own port")])


def _run_dask_mpi(arguments: list[str]) -> None:
    from dask_mpi.cli import main as dask_mpi

    dask_mpi(arguments, standalone_mode=False)


def dask_mpi_arguments(directory: ClusterDirectory, interface: str | None) -> list[str]:
    """Return the command line of ``dask-mpi`` for a rank of this cluster.

    ``distributed.Worker`` is used instead of the default Nanny: a Nanny's child would
    start MPI again with the rank's variables (ESPEI imports emcee 2, which
    imports mpi4py.MPI). Dask's pages listen on loopback only. Only the plain ones
    (/info) are on: the dashboard shows tasks, and our evaluations are actor calls.
    """
    settings = directory.settings()
    loopback = "127.0.0.1:0"
    worker_options: dict[str, object] = {"dashboard": False, "dashboard_address": loopback}
    if settings.worker_ports:
        worker_options["port"] = settings.worker_ports
    return [
        f"--scheduler-file={settings.scheduler_file}",
        # By default any free port, because two runs may share a host.
        f"--scheduler-port={settings.scheduler_port or 0}",
        f"--protocol={'tls' if settings.encrypted else 'tcp'}",
        *([f"--interface={interface}"] if interface else []),
        "--nthreads=1",
        "--memory-limit=0",
        "--worker-class=distributed.Worker",
        f"--worker-options={json.dumps(worker_options)}",
        # Nothing is spilled there; in the run directory it is removed with the cluster.
        f"--local-directory={directory.scratch}",
        "--no-dashboard",
        f"--dashboard-address={loopback}",
        f"--name={directory.id}",
    ]


def _import_espei() -> None:
    """Import ESPEI, which takes seconds, while the fit reads its input, not at the first evaluation."""
    # A failed import is reported where ESPEI is used.
    with contextlib.suppress(Exception):
        import_module("espei.espei_script")


def _enter(directory: ClusterDirectory, say: Callable[[str], None]) -> world.World:
    """Enter the world through MPI, or without it if MPI fails and the launcher sets rank and size."""
    found = place.find(os.environ, directory.settings().ranks)
    if found is None:
        return _enter_through_mpi(directory)
    why = place.why_no_mpi(found, os.environ)
    if why is None:
        try:
            return _enter_through_mpi(directory)
        except Refusal as refusal:
            why = " ".join(fault.what for fault in refusal.faults)
    # Workers import ESPEI and with it mpi4py, which must not start MPI then.
    os.environ.update(SETTINGS)
    if found.rank == 0:
        say(f"espei-hpc: ranks start without MPI ({why})")
    _watch(directory, found.rank)
    return without_mpi.meet(directory, found, why)


def _enter_through_mpi(directory: ClusterDirectory) -> world.World:
    mpi_library.choose(os.environ)
    here = world.enter(os.environ)
    world.prove(here, directory.settings().ranks, os.environ)
    introduction = world.introduction(here.rank, here.size, here.hosts[here.rank], here.library)
    pass_json(directory.rank_file(here.rank), introduction)
    _watch(directory, here.rank)
    return here


def _watch(directory: ClusterDirectory, rank: int) -> None:
    threading.Thread(target=_end_with_launcher, args=[directory, rank], daemon=True).start()


def _end_with_launcher(directory: ClusterDirectory, rank: int) -> None:
    """End this rank when the cluster start is over; rank 0 ends the scheduler and so the cluster."""
    while not directory.ended():
        time.sleep(LAUNCHER_POLL_SECONDS if rank == 0 else WORKERS_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
