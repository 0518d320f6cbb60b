"""HPE Cray's PALS: ``mpiexec`` and ``aprun``."""

from espei_hpc.mpi.launchers.kind import LauncherKind

PALS = LauncherKind(
    key="pals",
    name="PALS",
    shown="PALS",
    marks=(b"PALS_", b"libpals"),
    rank=("PALS_RANKID",),
    size=("PALS_SIZE", "PMI_SIZE"),
    numbers_ranks=True,
    serves="mpich",
    served=("PALS_RANKID",),
    pmi=("cray",),
    variables=("PALS_*",),
    names_hosts=frozenset({"hostfile", "hosts", "host"}),
)
