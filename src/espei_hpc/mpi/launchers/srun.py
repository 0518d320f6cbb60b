"""Slurm's ``srun``; which PMI it offers is determined in ``host/slurm.py``."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from espei_hpc.mpi.launchers.kind import FEW_SLOTS, REQUEST_SLOTS, KnownCause, LauncherKind

# The messages that srun 22.05 has; they were not all provoked.
CAUSES = (
    KnownCause(
        re.compile(r"Unable to create step for job \d+: (More processors|Requested node|Unable to)"),
        FEW_SLOTS,
        REQUEST_SLOTS,
    ),
    KnownCause(
        re.compile("Invalid MPI type|specified plugin name for mpi/"),
        "this Slurm does not have the PMI that --mpi names",
        "use one that srun --mpi=list shows",
    ),
    KnownCause(
        re.compile("[Ss]tep creation temporarily disabled"),
        "another step of the job uses its tasks",
        "end that step, or let them share: --launcher 'srun --overlap'",
    ),
)


def _excluding(words: Sequence[str], left: Mapping[str, int], without: Sequence[str], _: Path) -> list[str]:
    return [*words, f"--exclude={','.join(sorted(without))}", f"--nodes={len(left)}"]


SRUN = LauncherKind(
    key="srun",
    name="Slurm",
    shown="srun",
    command="srun",
    marks=(b"SLURM_",),
    rank=("SLURM_PROCID",),
    # SLURM_NTASKS is the job's, which the batch script has too.
    size=("SLURM_STEP_NUM_TASKS",),
    numbers_ranks=True,
    causes=CAUSES,
    died=(re.compile(r"^srun: error: ([^:\s]+): tasks? [\d,-]+: (?!Exited)", re.MULTILINE),),
    excluding=_excluding,
)
