"""Flux: ``flux run``, perhaps in an instance inside another batch system's job."""

from espei_hpc.mpi.launchers.kind import LauncherKind

FLUX = LauncherKind(
    key="flux",
    name="Flux",
    shown="Flux",
    command="flux",
    rank=("FLUX_TASK_RANK",),
    size=("FLUX_JOB_SIZE",),
    numbers_ranks=True,
    pmi=("pmi1",),
    variables=("FLUX_*",),
)
