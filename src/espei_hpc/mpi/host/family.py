"""The families of MPIs: who shares an ABI, and by what each is recognised."""

from dataclasses import dataclass
from typing import Literal

Abi = Literal["openmpi", "mpich"]
SONAMES: dict[Abi, str] = {"openmpi": "libmpi.so.40", "mpich": "libmpi.so.12"}
"""The names by which mpi4py loads a library of each ABI."""


@dataclass(frozen=True)
class Family:
    """MPIs of one make.

    Attributes:
        key: as recipes name it.
        name: for people.
        abi: whose programs its library can serve.
        pmi: kinds of PMI by which its library learns rank and size.
        variables: what its own launcher sets in every rank.
    """

    key: str
    name: str
    abi: Abi
    pmi: tuple[str, ...]
    variables: tuple[str, ...]

    @property
    def soname(self) -> str:
        """The name by which mpi4py loads a library of this ABI."""
        return SONAMES[self.abi]


OPEN_MPI = Family("openmpi", "Open MPI", "openmpi", ("pmix",), ("OMPI_COMM_WORLD_SIZE", "PMIX_RANK"))
MPICH = Family("mpich", "MPICH", "mpich", ("pmi1", "pmi2"), ("PMI_RANK", "PMI_SIZE", "PMI_FD"))
INTEL_MPI = Family(
    "intel", "Intel MPI", "mpich", ("pmi1", "pmi2", "pmix"), ("PMI_RANK", "PMI_SIZE", "PMI_FD")
)
MVAPICH = Family("mvapich", "MVAPICH", "mpich", ("pmi1", "pmi2"), ("PMI_RANK", "PMI_SIZE", "PMI_FD"))
CRAY_MPICH = Family("cray", "Cray MPICH", "mpich", ("cray",), ("PMI_RANK", "PMI_SIZE", "PALS_RANKID"))
FAMILIES = (OPEN_MPI, MPICH, INTEL_MPI, MVAPICH, CRAY_MPICH)


def of(key: str) -> Family:
    """Return the family of a recipe's ``family``.

    Raises:
        KeyError: if there is none of this key.
    """
    return {family.key: family for family in FAMILIES}[key]


def major(version: str | None) -> int | None:
    """Return the first number of a version; None if it is not known."""
    first = (version or "").split(".")[0].split()
    return int(first[0]) if first and first[0].isdigit() else None
