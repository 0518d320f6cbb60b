"""The kinds of PMI with which srun can start ranks."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from espei_hpc.doctor.finding import Line, ok, warning
from espei_hpc.doctor.options import Options
from espei_hpc.doctor.running import found, run
from espei_hpc.mpi.host.root import HOST, Root
from espei_hpc.mpi.library import FAMILIES, MPICH, OPEN_MPI, LibraryFamily, bundled

LIST_SECONDS = 8.0
TOPIC = "srun"


def family_of(kind: str) -> LibraryFamily | None:
    """Return the MPI family that works with ``srun --mpi=KIND``; None if none does."""
    if kind.startswith("pmix"):
        return OPEN_MPI
    return MPICH if kind in ("pmi2", "cray_shasta") else None


def pmi_kinds(options: Options, host: Path = HOST) -> list[Line]:
    """Report the kinds of srun's --mpi option, and which of them an installed MPI supports.

    Args:
        options: options of the examination.
        host: mount point of the host's file system, for a container that cannot run its srun.
    """
    if found("srun", options.environment):
        ended = run(["srun", "--mpi=list"], LIST_SECONDS, options.environment)
        # One per line, indented; older releases print "srun: " before each instead.
        kinds = re.findall(r"^(?:srun:)?[ \t]+(\w+)$", ended.output, re.MULTILINE)
        if ended.code != 0 or not kinds:
            return [warning(TOPIC, f"srun --mpi=list says: {ended.last_words() or 'nothing'}")]
        return [_offer(sorted(kinds))]
    if not host.is_dir():
        return []
    # Imported late: the cheap checks must not wait for the ELF library.
    from espei_hpc.mpi.host import launcher

    there = launcher.identify(Root(host), ("srun",), options.environment)
    if there.path is None:
        return []
    return (
        [_offer(there.offers)] if there.offers else [warning(TOPIC, "the host's kinds of PMI are not known")]
    )


def _offer(kinds: Sequence[str]) -> Line:
    held = [family for family in FAMILIES if bundled(family, Path(sys.prefix))]
    usable = [f"--mpi={kind} for {family.name}" for kind in kinds if (family := family_of(kind)) in held]
    seen = f"it offers {', '.join(kinds)}"
    if not usable:
        cure = "ranks will start without MPI; or use the host's mpirun, or the host's MPI in the container"
        return warning(TOPIC, f"{seen}: no MPI of this Python environment supports these", cure)
    return ok(TOPIC, f"{seen}; use {' or '.join(usable)}")
