"""Open MPI: ``mpirun``, ``mpiexec``, ``orterun`` (4) and ``prterun`` (5)."""

import re
from types import MappingProxyType

from espei_hpc.mpi.launchers.kind import LauncherKind

OPENMPI = LauncherKind(
    key="openmpi",
    name="Open MPI",
    marks=(b"OPAL_PREFIX", b"libopen-rte", b"libprrte", b"libopen-pal"),
    rank=("OMPI_COMM_WORLD_RANK", "PMIX_RANK"),
    size=("OMPI_COMM_WORLD_SIZE",),
    serves="openmpi",
    # PMIX_RANK alone is set by other launchers with PMIx, such as srun --mpi=pmix.
    served=("OMPI_COMM_WORLD_SIZE", "PMIX_RANK"),
    around=("OMPI_COMM_WORLD_SIZE",),
    pmi=("pmix",),
    variables=("OMPI_*", "PMIX_*", "PRTE_*"),
    # mpirun of 4, prterun of 5
    died=(re.compile(r"noticed that process rank \d+ with PID \d+ on node (\S+) exited on signal"),),
    names_hosts=frozenset({"hostfile", "machinefile", "host", "H"}),
    # 4 reads the first of each pair, 5 the second.
    more_ranks_than_cores=MappingProxyType(
        {
            "OMPI_MCA_rmaps_base_oversubscribe": "1",
            "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
            "OMPI_MCA_hwloc_base_binding_policy": "none",
            "PRTE_MCA_hwloc_default_binding_policy": "none",
        }
    ),
    # It refuses to run as root unless both are set; in a container root is the usual user.
    as_root=MappingProxyType(
        {
            "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            "PRTE_ALLOW_RUN_AS_ROOT": "1",
            "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        }
    ),
    # A 4 built without PBS would silently start all ranks on this host.
    host_file="OMPI_MCA_orte_default_hostfile",
)
