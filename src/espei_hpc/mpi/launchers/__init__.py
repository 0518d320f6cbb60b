"""Launchers of ranks, one module for each; ``KINDS`` is the list of them.

To add one, write its module and add its name to ``KINDS``.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from espei_hpc.environment import first_number
from espei_hpc.mpi.host.family import Abi
from espei_hpc.mpi.launchers.flux import FLUX
from espei_hpc.mpi.launchers.hydra import INTEL_MPI, MPICH
from espei_hpc.mpi.launchers.jsrun import JSRUN
from espei_hpc.mpi.launchers.kind import Key, KnownCause, LauncherKind
from espei_hpc.mpi.launchers.openmpi import OPENMPI
from espei_hpc.mpi.launchers.pals import PALS
from espei_hpc.mpi.launchers.pbsdsh import PBSDSH
from espei_hpc.mpi.launchers.srun import SRUN

# Ranks inherit the variables of a launcher around their own. So an mpirun, which may use any of the others,
# comes first, then launchers that run inside another's job. With --mpi=cray_shasta srun sets PALS's too.
KINDS = (OPENMPI, MPICH, INTEL_MPI, FLUX, JSRUN, SRUN, PALS, PBSDSH)
BY_KEY = {kind.key: kind for kind in KINDS}
BY_COMMAND = {kind.command: kind for kind in KINDS if kind.command}
NAMES = ("mpirun", "mpiexec")
"""Names that several launchers share, in the order in which they are looked for."""
NAMES_HOSTS = frozenset[str]().union(*(kind.names_hosts for kind in KINDS))
"""Options of any launcher that name hosts, without dashes."""

__all__ = [
    "BY_COMMAND",
    "BY_KEY",
    "KINDS",
    "NAMES",
    "NAMES_HOSTS",
    "CauseFound",
    "Key",
    "KnownCause",
    "LauncherKind",
]


class CauseFound(NamedTuple):
    """A known cause in the output of a launcher.

    Attributes:
        line: the line that shows it.
        cause: the cause.
    """

    line: str
    cause: KnownCause


def known_cause(lines: Iterable[str]) -> CauseFound | None:
    """Return the first known cause in the output of a launcher and its ranks; None if there is none."""
    causes = [cause for kind in KINDS for cause in kind.causes]
    found = (CauseFound(line, cause) for line in lines for cause in causes if cause.pattern.search(line))
    return next(found, None)


def rank(environment: Mapping[str, str]) -> int | None:
    """Return the number of this rank by its launcher's variables; None if there are none."""
    return first_number(environment, *(variable for kind in KINDS for variable in kind.rank))


def size(environment: Mapping[str, str]) -> int | None:
    """Return the number of ranks by their launcher's variables; None if there are none."""
    return first_number(environment, *(variable for kind in KINDS for variable in kind.size))


def abi_served(environment: Mapping[str, str]) -> Abi | None:
    """Return the ABI of the library that this rank's launcher serves; None if not recognised.

    Open MPI comes first: its launchers set none of MPICH's variables, while a rank under PMIx may have
    inherited PMI_* from a batch system.
    """
    for kind in KINDS:
        if kind.serves and any(variable in environment for variable in kind.served):
            return kind.serves
    return None
