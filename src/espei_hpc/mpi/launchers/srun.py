"""Slurm's ``srun``; which PMI it offers is determined in ``host/slurm.py``."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from espei_hpc.mpi.launchers.kind import LauncherKind


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
    died=(re.compile(r"^srun: error: ([^:\s]+): tasks? [\d,-]+: (?!Exited)", re.MULTILINE),),
    excluding=_excluding,
)
