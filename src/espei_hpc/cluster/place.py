"""The place that a launcher tells a rank without MPI, and whether MPI could do better.

``srun``, ``flux run`` and their like put a rank's number and the number of ranks
into its environment whether or not they also serve a PMI.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from espei_hpc.cluster import world
from espei_hpc.mpi import library as mpi_library


@dataclass(frozen=True)
class NumberingLauncher:
    """A launcher that tells each process its place.

    Attributes:
        name: for people.
        rank: variable with the number of this rank, from 0.
        sizes: variables one of which has the number of ranks; none if only the user knows it.
    """

    name: str
    rank: str
    sizes: tuple[str, ...]


# One that runs inside another's job first: its processes inherit the outer one's variables.
LAUNCHERS = (
    NumberingLauncher("Flux", "FLUX_TASK_RANK", ("FLUX_JOB_SIZE",)),
    NumberingLauncher("jsrun", "JSM_NAMESPACE_RANK", ("JSM_NAMESPACE_SIZE",)),
    # With --mpi=cray_shasta it sets what PALS sets.
    NumberingLauncher("srun", "SLURM_PROCID", ("SLURM_STEP_NUM_TASKS",)),
    NumberingLauncher("PALS", "PALS_RANKID", ("PALS_SIZE", "PMI_SIZE")),
    NumberingLauncher("pbsdsh", "PBS_VNODENUM", ()),
)
MPIRUN_VARIABLES = ("OMPI_COMM_WORLD_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_SIZE")
"""Set by the mpirun of Open MPI, by Hydra (MPICH, Intel MPI) and by MVAPICH's, below which srun may be."""
SERVER_VARIABLES = ("PMIX_RANK", "PMI_FD", "PMI_PORT")
"""One of these is in every rank that PMIx, PMI 1 or PMI 2 serves, which are all that our MPIs know."""


@dataclass(frozen=True)
class RankPlace:
    """What a launcher tells a rank.

    Attributes:
        launcher: its name.
        rank: number of this rank, from 0.
        size: number of ranks.
    """

    launcher: str
    rank: int
    size: int


def told(environment: Mapping[str, str], asked: int | None) -> RankPlace | None:
    """Return the place that a launcher tells without MPI; None under a real mpirun, or if none tells it.

    Args:
        environment: this rank's.
        asked: ranks asked for, the size where the launcher tells none.
    """
    if any(variable in environment for variable in MPIRUN_VARIABLES):
        return None
    for launcher in LAUNCHERS:
        rank = world.first_number((launcher.rank,), environment)
        size = world.first_number(launcher.sizes, environment) if launcher.sizes else asked
        # A PBS job's script, task 1, has the variables too, and gives them to all that it starts.
        script = launcher.name == "pbsdsh" and environment.get("PBS_TASKNUM", "1") == "1"
        if rank is not None and size is not None and not script:
            found = RankPlace(launcher.name, rank, size)
            return found if _agrees(found, environment) else None
    return None


def _agrees(found: RankPlace, environment: Mapping[str, str]) -> bool:
    """Whether a PMI, if there is one, numbers the ranks alike: else it is another launcher's."""
    told = ((("PMIX_RANK",), found.rank), (("PMI_RANK",), found.rank), (("PMI_SIZE",), found.size))
    return all(world.first_number(name, environment) in (None, expected) for name, expected in told)


def why_no_mpi(found: RankPlace, environment: Mapping[str, str]) -> str | None:
    """Return why MPI cannot serve these ranks, where the variables alone tell it.

    It must be known before MPI starts: without a server each rank would be a world of its own.
    """
    if any(variable in environment for variable in SERVER_VARIABLES):
        return None
    # A Cray's MPI, which somebody has to name, knows a PMI of its own.
    if "MPI4PY_LIBMPI" in environment and mpi_library.launcher_family(environment):
        return None
    return f"{found.launcher} tells them their rank and size, but offers no PMI that an MPI here could use"
