"""Rank and size from the launcher's variables, and whether MPI can be used instead.

Launchers such as ``srun`` and ``flux run`` set a rank's number and the number of ranks
in its environment even if they offer no PMI.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from espei_hpc.environment import first_number
from espei_hpc.mpi import launchers
from espei_hpc.mpi import library as mpi_library

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
    if any(variable in environment for kind in launchers.KINDS for variable in kind.around):
        return None
    for kind in launchers.KINDS:
        if not kind.numbers_ranks or kind.inside_a_job(environment):
            continue
        rank = first_number(environment, *kind.rank)
        size = asked if kind.size_as_requested else first_number(environment, *kind.size)
        if rank is not None and size is not None:
            found = RankPlace(kind.shown, rank, size)
            return found if _agrees(found, environment) else None
    return None


def _agrees(found: RankPlace, environment: Mapping[str, str]) -> bool:
    """Whether the PMI variables, if set, have the same rank and size; else they are another launcher's."""
    expected = {"PMIX_RANK": found.rank, "PMI_RANK": found.rank, "PMI_SIZE": found.size}
    return all(first_number(environment, name) in (None, number) for name, number in expected.items())


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
