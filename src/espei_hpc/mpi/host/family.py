"""The families of MPIs: their ABIs, and how each is recognised."""

from dataclasses import dataclass
from typing import Literal

Abi = Literal["openmpi", "mpich"]
SONAMES: dict[Abi, str] = {"openmpi": "libmpi.so.40", "mpich": "libmpi.so.12"}
"""The names by which mpi4py loads a library of each ABI."""


@dataclass(frozen=True)
class Family:
    """A family of MPIs.

    Attributes:
        key: name in recipes.
        name: name shown to users.
        abi: ABI of its library.
        pmi: kinds of PMI that its library supports.
    """

    key: str
    name: str
    abi: Abi
    pmi: tuple[str, ...]

    @property
    def soname(self) -> str:
        """The name by which mpi4py loads a library of this ABI."""
        return SONAMES[self.abi]


OPEN_MPI = Family("openmpi", "Open MPI", "openmpi", ("pmix",))
MPICH = Family("mpich", "MPICH", "mpich", ("pmi1", "pmi2"))
INTEL_MPI = Family("intel", "Intel MPI", "mpich", ("pmi1", "pmi2", "pmix"))
MVAPICH = Family("mvapich", "MVAPICH", "mpich", ("pmi1", "pmi2"))
CRAY_MPICH = Family("cray", "Cray MPICH", "mpich", ("cray",))
FAMILIES = (OPEN_MPI, MPICH, INTEL_MPI, MVAPICH, CRAY_MPICH)


def of(key: str) -> Family:
    """Return the family of a recipe's ``family``.

    Raises:
        KeyError: if there is no family with this key.
    """
    return {family.key: family for family in FAMILIES}[key]


def major(version: str | None) -> int | None:
    """Return the first number of a version; None if it is not known."""
    first = (version or "").split(".")[0].split()
    return int(first[0]) if first and first[0].isdigit() else None
