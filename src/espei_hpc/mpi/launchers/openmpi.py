"""Open MPI: ``mpirun``, ``mpiexec``, ``orterun`` (4) and ``prterun`` (5)."""

import re
from types import MappingProxyType

from espei_hpc.mpi.launchers.kind import (
    FEW_SLOTS,
    NO_COMMAND,
    NO_SSH,
    REQUEST_SLOTS,
    SHARE_COMMAND,
    KnownCause,
    LauncherKind,
)

# Messages of 4.1 and 5.0; they were not all provoked.
CAUSES = (
    KnownCause(re.compile("not enough slots available"), FEW_SLOTS, REQUEST_SLOTS),
    KnownCause(re.compile("unable to launch the specified application"), NO_COMMAND, SHARE_COMMAND),
    NO_SSH,
    KnownCause(
        re.compile('"plm_rsh_agent" was set to a path'),
        "a host does not have the remote shell that it is to use",
        "put it on a file system that all hosts share",
    ),
    KnownCause(
        re.compile("unable to reliably start one or more daemons|daemon failed to report back"),
        "it could not start its daemon on another host, or that could not connect back",
        "check that all hosts have this MPI and reach each other (espei-mpi --doctor)",
    ),
    KnownCause(
        re.compile('direct launched using "srun"'),
        "srun offers no PMI that this Open MPI supports",
        "use one that it supports: --launcher 'srun --mpi=pmix'; srun --mpi=list shows what there is",
    ),
)

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
    causes=CAUSES,
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
