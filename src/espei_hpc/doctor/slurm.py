"""By which PMI srun can start ranks."""

import re
import sys
from pathlib import Path

from espei_hpc.cluster.mpi_library import FAMILIES, MPICH, OPEN_MPI, Family, bundled
from espei_hpc.doctor.line import Line, ok, warning
from espei_hpc.doctor.options import Options
from espei_hpc.doctor.running import found, run

LIST_SECONDS = 8.0
TOPIC = "srun"


def family_of(kind: str) -> Family | None:
    """Return the family of MPIs that gets a world by a kind of srun's --mpi option; None for none."""
    if kind.startswith("pmix"):
        return OPEN_MPI
    return MPICH if kind in ("pmi2", "cray_shasta") else None


def pmi_kinds(options: Options) -> list[Line]:
    """Tell the kinds of srun's --mpi option, and which of them an MPI of ours understands."""
    if not found("srun", options.environment):
        return []
    ended = run(["srun", "--mpi=list"], LIST_SECONDS, options.environment)
    # One a line, indented; older releases put "srun: " before each.
    kinds = re.findall(r"^(?:srun: )?\s+(\w+)$|^srun: (\w+)$", ended.output, re.MULTILINE)
    names = sorted({one or other for one, other in kinds})
    if ended.code != 0 or not names:
        return [warning(TOPIC, f"srun --mpi=list says: {ended.last_words() or 'nothing'}")]
    held = [family for family in FAMILIES if bundled(family, Path(sys.prefix))]
    usable = [f"--mpi={name} for {family.name}" for name in names if (family := family_of(name)) in held]
    seen = f"it offers {', '.join(names)}"
    if not usable:
        cure = "use the host's mpirun, or bind the host's MPI (espei-hpc host-mpi)"
        return [warning(TOPIC, f"{seen}: for no MPI of this Python environment", cure)]
    return [ok(TOPIC, f"{seen}; use {' or '.join(usable)}")]
