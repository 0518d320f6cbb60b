"""One rank of a trial: ``LAUNCHER -n N espei-hpc probe --dir DIR --ranks N``.

It chooses its MPI library, or runs without MPI, as a rank of a cluster does. It prints
its findings step by step, so that those before a crash are kept. It ends at its
deadline, even if MPI hangs.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from espei_hpc.cluster import place, world
from espei_hpc.doctor import connectivity as talking
from espei_hpc.doctor import shared
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi import library as mpi_library

MARK = "espei-probe"
"""Printed before each report, because launchers and libraries write to the same stream."""


def command(directory: Path, ranks: int, interface: str | None, seconds: float) -> list[str]:
    """Return the command that runs one rank of a trial with this Python; arguments as of ``arguments``."""
    return [sys.executable, "-s", "-P", "-m", "espei_hpc", *arguments(directory, ranks, interface, seconds)]


def arguments(directory: Path, ranks: int, interface: str | None, seconds: float) -> list[str]:
    """Return the arguments of ``espei-hpc`` that run one rank of a trial.

    Args:
        directory: empty directory that all ranks share.
        ranks: number of ranks started.
        interface: network interface of the cluster; None to choose.
        seconds: time after which the rank ends itself, s.
    """
    words = ["probe", "--dir", str(directory), "--ranks", str(ranks), "--seconds", f"{seconds:g}"]
    return words + (["--interface", interface] if interface else [])


def reports(output: str) -> list[dict[str, Any]]:
    """Return the merged reports of each process, sorted by name, from the output of a trial."""
    reported: dict[str, dict[str, Any]] = {}
    # A launcher may join the lines of two ranks, or add text before and after them.
    for part in output.split(MARK)[1:]:
        try:
            report, _ = json.JSONDecoder().raw_decode(part.strip())
        except ValueError:
            continue
        reported.setdefault(report["process"], {}).update(report)
    return [reported[name] for name in sorted(reported)]


def run(directory: Path, ranks: int, interface: str | None, seconds: float) -> int:
    """Run one rank of a trial; return the exit code.

    Args:
        directory: directory that all ranks share, initially empty.
        ranks: number of ranks started.
        interface: network interface of the cluster; None to choose.
        seconds: time after which this process ends itself, s.
    """
    # The default action ends the process even inside a library that hangs.
    signal.setitimer(signal.ITIMER_REAL, seconds)
    process = world.process_name(os.environ)

    def tell(**what: Any) -> None:
        # One write, because other ranks write to the same pipe.
        os.write(1, f"{MARK} {json.dumps({'process': process, **what})}\n".encode())

    found = place.find(os.environ, ranks)
    refusal = _choose()
    tell(launcher=mpi_library.describe_launcher(os.environ), refusal=refusal)
    here = _through_mpi(found, refusal, ranks)
    cores = sorted(os.sched_getaffinity(0))
    if isinstance(here, world.World):
        tell(rank=here.rank, size=here.size, host=here.hosts[here.rank], library=here.library, cores=cores)
        from mpi4py import MPI

        tell(message=talking.broadcast_arrives(MPI.COMM_WORLD))
        tell(
            **talking.connected(MPI.COMM_WORLD, interface, on_one_host=here.on_one_host, network=here.network)
        )
    elif found is not None:
        tell(rank=found.rank, size=found.size, host=socket.gethostname(), cores=cores, without_mpi=here)
    else:
        tell(refusal=here)
        return ExitCode.CONFIGURATION
    # The steps before may take the other half.
    tell(files=shared.take_part(directory, process, ranks, seconds / 2))
    return ExitCode.OK


def _choose() -> str:
    """Choose the MPI library; return why a rank of a cluster would refuse, empty if it would not."""
    try:
        mpi_library.choose(os.environ)
    except Refusal as refusal:
        return _words(refusal)
    return ""


def _through_mpi(found: place.RankPlace | None, refusal: str, ranks: int) -> world.World | str:
    """Enter the world through MPI; if a rank would run without MPI or cannot use it, return why.

    Where a rank of a cluster would refuse, MPI is started anyway, to see what really happens.
    """
    if found is not None and (why := place.why_no_mpi(found, os.environ) or refusal):
        return why
    try:
        here = world.enter(os.environ)
        if found is not None:
            world.prove(here, ranks, os.environ)
    except Refusal as wrong:
        return refusal or _words(wrong)
    return here


def _words(refusal: Refusal) -> str:
    return " ".join(" ".join(fault.what for fault in refusal.faults).split())
