"""Rank and size from the launcher's variables, and whether MPI can be used instead.

Launchers such as ``srun`` and ``flux run`` set a rank's number and the number of ranks
in its environment even if they offer no PMI.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from espei_hpc.cluster import world
from espei_hpc.mpi import library as mpi_library


@dataclass(frozen=True)
class NumberingLauncher:
    """A launcher that sets rank and size in the environment of each process.

    Attributes:
        name: name shown to users.
        rank: variable with the number of this rank, from 0.
        sizes: variables, one of which has the number of ranks; empty if the launcher sets none.
    """

    name: str
    rank: str
    sizes: tuple[str, ...]


# Launchers that run inside another's job come first: their processes inherit the outer one's variables.
LAUNCHERS = (
    NumberingLauncher("Flux", "FLUX_TASK_RANK", ("FLUX_JOB_SIZE",)),
    NumberingLauncher("jsrun", "JSM_NAMESPACE_RANK", ("JSM_NAMESPACE_SIZE",)),
    # With --mpi=cray_shasta srun also sets the variables of PALS.
    NumberingLauncher("srun", "SLURM_PROCID", ("SLURM_STEP_NUM_TASKS",)),
    NumberingLauncher("PALS", "PALS_RANKID", ("PALS_SIZE", "PMI_SIZE")),
    NumberingLauncher("pbsdsh", "PBS_VNODENUM", ()),
)
MPIRUN_VARIABLES = ("OMPI_COMM_WORLD_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_SIZE")
"""Set by the mpirun of Open MPI, Hydra (MPICH, Intel MPI) and MVAPICH, which may use srun themselves."""
SERVER_VARIABLES = ("PMIX_RANK", "PMI_FD", "PMI_PORT")
"""One of these is set in every rank under PMIx, PMI 1 or PMI 2, the only protocols of our MPIs."""


@dataclass(frozen=True)
class RankPlace:
    """Rank and size that a launcher sets.

    Attributes:
        launcher: name of the launcher.
        rank: number of this rank, from 0.
        size: number of ranks.
    """

    launcher: str
    rank: int
    size: int


def find(environment: Mapping[str, str], asked: int | None) -> RankPlace | None:
    """Return the rank and size from the launcher's variables; None under mpirun, or if they are not set.

    Args:
        environment: of this rank.
        asked: requested ranks, used as size if the launcher does not set it.
    """
    if any(variable in environment for variable in MPIRUN_VARIABLES):
        return None
    for launcher in LAUNCHERS:
        rank = world.first_number((launcher.rank,), environment)
        size = world.first_number(launcher.sizes, environment) if launcher.sizes else asked
        # The job script of PBS, task 1, has the variables too, and its processes inherit them.
        script = launcher.name == "pbsdsh" and environment.get("PBS_TASKNUM", "1") == "1"
        if rank is not None and size is not None and not script:
            found = RankPlace(launcher.name, rank, size)
            return found if _agrees(found, environment) else None
    return None


def _agrees(found: RankPlace, environment: Mapping[str, str]) -> bool:
    """Whether the PMI variables, if set, have the same rank and size; else they are another launcher's."""
    told = ((("PMIX_RANK",), found.rank), (("PMI_RANK",), found.rank), (("PMI_SIZE",), found.size))
    return all(world.first_number(name, environment) in (None, expected) for name, expected in told)


def why_no_mpi(found: RankPlace, environment: Mapping[str, str]) -> str | None:
    """Return why MPI cannot be used, as far as the variables show it; None if it may work.

    This must be known before MPI starts: without a PMI each rank would form a world of its own.
    """
    if any(variable in environment for variable in SERVER_VARIABLES):
        return None
    # Cray MPICH, which has to be named explicitly, has a PMI of its own.
    if "MPI4PY_LIBMPI" in environment and mpi_library.launcher_family(environment):
        return None
    return f"{found.launcher} sets rank and size, but offers no PMI that an MPI here supports"
