"""Hydra: ``mpirun``, ``mpiexec`` and ``mpiexec.hydra`` of MPICH, Intel MPI and MVAPICH."""

import re
from dataclasses import replace

from espei_hpc.mpi.launchers.kind import NO_COMMAND, NO_SSH, SHARE_COMMAND, KnownCause, LauncherKind

# By these options, and variables of batch systems, a Hydra knows how many ranks each host takes. A list of
# hosts need not say how many: then it is one.
SLOTS_OPTIONS = frozenset(("-ppn", "-perhost", "-grr"))
SLOTS_VARIABLES = ("SLURM_JOB_ID", "PBS_NODEFILE", "LSB_MCPU_HOSTS", "PE_HOSTFILE", "COBALT_NODEFILE")

# Messages of 4.0 and 5.0; they were not all provoked.
CAUSES = (
    KnownCause(
        re.compile("unsupported PMI version PMIx"),
        "the ranks load an MPICH, but their launcher is of the Open MPI family",
        "name the launcher of that MPICH with --launcher, or load the MPI of the launcher",
    ),
    KnownCause(re.compile("execvp error on file"), NO_COMMAND, SHARE_COMMAND),
    NO_SSH,
)

MPICH = LauncherKind(
    key="mpich",
    name="MPICH",
    marks=(b"HYDRA_",),
    rank=("PMI_RANK",),
    size=("PMI_SIZE",),
    serves="mpich",
    # Slurm's PMI 2 sets them too.
    served=("PMI_RANK", "PMI_SIZE", "PMI_FD"),
    around=("MPI_LOCALNRANKS", "MV2_COMM_WORLD_SIZE"),
    pmi=("pmi1", "pmi2"),
    variables=("PMI_*", "MPI_LOCAL*", "HYDRA_*"),
    causes=CAUSES,
    # after a line with BAD TERMINATION
    died=(re.compile(r"^=\s+PID \d+ RUNNING AT (\S+)", re.MULTILINE),),
    names_hosts=frozenset({"hostfile", "machinefile", "machine", "host", "hosts", "hostlist", "f"}),
)
INTEL_MPI = replace(MPICH, key="intel", name="Intel MPI", marks=(b"I_MPI_HYDRA",), variables=("I_MPI_*",))
