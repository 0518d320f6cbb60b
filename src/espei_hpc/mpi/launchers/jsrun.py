"""IBM's ``jsrun``, in LSF jobs."""

from espei_hpc.mpi.launchers.kind import LauncherKind

JSRUN = LauncherKind(
    key="jsrun",
    name="jsrun",
    shown="jsrun",
    command="jsrun",
    marks=(b"JSM_",),
    rank=("JSM_NAMESPACE_RANK",),
    size=("JSM_NAMESPACE_SIZE",),
    numbers_ranks=True,
    variables=("JSM_*",),
)
