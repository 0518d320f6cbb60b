"""Choose the MPI library that a rank loads: the one that fits its launcher.

A wrong pair does not fail but gives N worlds of one rank. So the library is
chosen by the launcher's own variables before mpi4py is imported, and the world
is checked afterwards (``world``).
"""

import os
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi import launchers
from espei_hpc.mpi.host.family import SONAMES, Abi


@dataclass(frozen=True)
class LibraryFamily:
    """A family of MPIs with a common launch protocol and ABI.

    Attributes:
        name: name shown to users.
        folder: its ABI, and its prefix below ``mpi/`` in the Python environment.
    """

    name: str
    folder: Abi

    @property
    def soname(self) -> str:
        """Name of the library, which identifies its ABI."""
        return SONAMES[self.folder]


OPEN_MPI = LibraryFamily("Open MPI", "openmpi")
MPICH = LibraryFamily("MPICH", "mpich")
FAMILIES = (OPEN_MPI, MPICH)


def launcher_family(environment: Mapping[str, str]) -> LibraryFamily | None:
    """Return the family of the launcher that set this rank's environment; None if not recognised."""
    served = launchers.abi_served(environment)
    return next((family for family in FAMILIES if family.folder == served), None)


def own_launchers(environment_root: Path) -> tuple[str, ...]:
    """Return the launchers that the MPIs of a Python environment have, whether they are installed or not."""
    return tuple(str(environment_root / "mpi" / family.folder / "bin" / "mpirun") for family in FAMILIES)


def bundled(family: LibraryFamily, environment_root: Path) -> Path | None:
    """Return the prefix of the family's MPI in this Python environment; None if it is not installed."""
    prefix = environment_root / "mpi" / family.folder
    return prefix if (prefix / "lib" / family.soname).exists() else None


def choose(environment: MutableMapping[str, str], environment_root: Path = Path(sys.prefix)) -> None:
    """Make mpi4py load the library for this rank's launcher, by changing ``environment``.

    A library named by the user (``MPI4PY_LIBMPI``) is kept. If this Python environment
    has no MPI, mpi4py looks for the host's.

    Raises:
        Refusal: (CONFIGURATION) if the named library, or all installed ones, are of another family
            than the launcher.
    """
    # Only ranks start MPI; launch.py turned it off for all processes.
    environment.pop("MPI4PY_RC_INITIALIZE", None)
    environment.pop("MPI4PY_MPIABI", None)
    family = launcher_family(environment)
    if family is OPEN_MPI and "OMPI_COMM_WORLD_SIZE" not in environment:
        _start_under_a_foreign_pmix(environment)
    held = [candidate for candidate in FAMILIES if bundled(candidate, environment_root)]
    if family is None:
        return
    if named := environment.get("MPI4PY_LIBMPI"):
        _refuse_other_family(named, family, environment)
        return
    if not held:
        return
    prefix = bundled(family, environment_root)
    if prefix is None:
        raise _no_library(family, held)
    environment["MPI4PY_LIBMPI"] = str(prefix / "lib" / family.soname)
    if family is OPEN_MPI:
        # The host's mpirun passes on its own prefix, which may not exist in the image.
        environment["OPAL_PREFIX"] = str(prefix)


def loaded() -> str:
    """Return the path of the MPI library that this process has loaded."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    paths = {line.split(maxsplit=5)[5] for line in maps if "/libmpi" in line and ".so" in line}
    return ", ".join(sorted(paths)) or "none"


def describe_launcher(environment: Mapping[str, str] = os.environ) -> str:
    """Return the launcher's family as a clause of a message."""
    family = launcher_family(environment)
    return f"the launcher is of the {family.name} family" if family else "no MPI launcher is recognised"


def _start_under_a_foreign_pmix(environment: MutableMapping[str, str]) -> None:
    """Make Open MPI 5 synchronise with the other ranks after it can receive messages.

    Slurm's PMIx has no barrier at the end of MPI_Init, so the first message of a fast rank may reach
    a slow rank that is still starting, which then crashes with the TCP transport (open-mpi/ompi#12495).
    """
    environment.setdefault("OMPI_MCA_pmix_base_async_modex", "1")


def _refuse_other_family(library: str, family: LibraryFamily, environment: Mapping[str, str]) -> None:
    """Refuse a library of another family by its name, since some pairs crash; ``world`` checks the rest."""
    of = next((candidate for candidate in FAMILIES if Path(library).name == candidate.soname), None)
    # Intel MPI, which has MPICH's ABI, runs under a PMIx launcher if I_MPI_PMI is set.
    if of is not None and of is not family and "I_MPI_PMI" not in environment:
        raise mismatch(f"the library is {library}, of the {of.name} family", environment)


def mismatch(what: str, environment: Mapping[str, str]) -> Refusal:
    """Return the refusal for a launcher and a library that do not fit."""
    fault = Fault(
        "MPI",
        f"launcher and MPI library do not fit: {describe_launcher(environment)}, {what}",
        "use a launcher of the library's family, or an image built with MPI=both",
    )
    return Refusal(ExitCode.CONFIGURATION, [fault])


def _no_library(family: LibraryFamily, held: list[LibraryFamily]) -> Refusal:
    names = " and ".join(candidate.name for candidate in held)
    fault = Fault(
        "MPI",
        f"the launcher is of the {family.name} family, but only {names} is installed here: "
        "every rank would form a world of its own",
        f"use an image built with MPI=both or MPI={family.folder}, or a launcher of {names}",
    )
    return Refusal(ExitCode.CONFIGURATION, [fault])
