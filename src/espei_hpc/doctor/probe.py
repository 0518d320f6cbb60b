"""One rank of a trial: ``LAUNCHER -n N espei-hpc probe --dir DIR --ranks N``.

It picks its MPI library, or does without MPI, as a rank of a cluster does, and tells
what it sees, step by step, so that a crash leaves what was told before. It ends at
its deadline, whatever MPI hangs in.
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
"""Before each report: launchers and libraries print to the same place."""


def command(directory: Path, ranks: int, interface: str | None, seconds: float) -> list[str]:
    """Return the words that run one rank of a trial.

    Args:
        directory: an empty one that all ranks are to share.
        ranks: how many are started.
        interface: network interface of the cluster; None to choose.
        seconds: after which the rank ends itself, s.
    """
    words = [sys.executable, "-s", "-P", "-m", "espei_hpc", "probe"]
    words += ["--dir", str(directory), "--ranks", str(ranks), "--seconds", f"{seconds:g}"]
    return words + (["--interface", interface] if interface else [])


def reports(output: str) -> list[dict[str, Any]]:
    """Return what each process told, its reports merged, in order of name, from all that was printed."""
    told: dict[str, dict[str, Any]] = {}
    # A launcher may join lines of two ranks, or write before and behind them.
    for part in output.split(MARK)[1:]:
        try:
            report, _ = json.JSONDecoder().raw_decode(part.strip())
        except ValueError:
            continue
        told.setdefault(report["process"], {}).update(report)
    return [told[name] for name in sorted(told)]


def run(directory: Path, ranks: int, interface: str | None, seconds: float) -> int:
    """Be one rank; return the exit code.

    Args:
        directory: that all ranks share, empty at first.
        ranks: how many are started.
        interface: network interface of the cluster; None to choose.
        seconds: after which this process ends, s.
    """
    # The default action ends the process even inside a library that hangs.
    signal.setitimer(signal.ITIMER_REAL, seconds)
    process = world.process_name(os.environ)

    def tell(**what: Any) -> None:
        # In one piece: the lines of other ranks come through the same pipe.
        os.write(1, f"{MARK} {json.dumps({'process': process, **what})}\n".encode())

    found = place.told(os.environ, ranks)
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
    # The rest of the deadline is left for the steps before.
    tell(files=shared.take_part(directory, process, ranks, seconds / 2))
    return ExitCode.OK


def _choose() -> str:
    """Point mpi4py at a library; return why a rank of a cluster would refuse, empty if it would not."""
    try:
        mpi_library.choose(os.environ)
    except Refusal as refusal:
        return _words(refusal)
    return ""


def _through_mpi(found: place.RankPlace | None, refusal: str, ranks: int) -> world.World | str:
    """Enter the world through MPI; return why not, in words, where a rank does without or cannot.

    Where a rank would only refuse, MPI is started all the same: what really happens is worth knowing.
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
