"""Every launcher with every library on this machine: the outcome is the predicted one, run for real."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from espei_hpc.mpi.host import installed
from espei_hpc.mpi.host.family import INTEL_MPI, OPEN_MPI
from espei_hpc.mpi.host.installed import Installed
from espei_hpc.mpi.host.launcher import identify
from espei_hpc.mpi.host.predict import Library, Outcome, Prediction, predict
from mpi_support import AS_ROOT, HERE, LAUNCHERS, MORE_RANKS_THAN_CORES, PREFIXES, path_of
from support import Commands

RANKS = 3
SECONDS = 200
"""What takes longer counts as a crash: a pair that works takes two."""
# All ranks get more than fits into what is sent at once. Each tells a file of its own: of what they print
# at the same time a launcher makes what it likes.
RANK = """
import os, pathlib
from mpi4py import MPI
world = MPI.COMM_WORLD
message = world.bcast(bytes(2_000_000) if world.rank == 0 else None)
pathlib.Path(f"world-{os.getpid()}").write_text(f"{world.size} {len(message)}")
"""


@dataclass(frozen=True)
class Loaded:
    """A library and what makes a rank load it."""

    library: Installed
    prefix: PurePosixPath

    def variables(self, directory: Path) -> dict[str, str]:
        """Name the library as mpi4py wants it named; by its own path it finds what lies beside it."""
        name = Path(self.library.path)
        if name.name != self.library.family.soname:
            name = directory / self.library.family.soname
            name.symlink_to(self.library.path)
        return {
            "MPI4PY_LIBMPI": str(name),
            "LD_LIBRARY_PATH": str(name.parent),
            **self._of_its_family(),
        }

    def _of_its_family(self) -> dict[str, str]:
        if self.library.family is INTEL_MPI:
            return {"I_MPI_ROOT": str(self.prefix), "FI_PROVIDER_PATH": str(self.library.path.parent)}
        if self.library.family is OPEN_MPI and self.prefix != PurePosixPath("/usr"):
            # As ``mpi_library`` does: the launcher's own prefix need not be the library's.
            return {"OPAL_PREFIX": str(self.prefix)}
        return {}


LIBRARIES = [Loaded(library, prefix) for prefix in PREFIXES for library in installed.libraries(HERE, prefix)]
HYDRAS = [launcher for launcher in LAUNCHERS if identify(HERE, [str(launcher)], {}).kind == "mpich"]


PAIRS = [
    pytest.param(
        launcher,
        loaded,
        # Of a table that has both in the same order: its own library, and one of another family or version.
        marks=[] if (column - row) % len(LIBRARIES) in (0, 1) else pytest.mark.long,
        id=f"{launcher}-{loaded.library.family.key}-{loaded.library.version}",
    )
    for row, launcher in enumerate(LAUNCHERS)
    for column, loaded in enumerate(LIBRARIES)
]


@pytest.mark.parametrize(("launcher", "loaded"), PAIRS)
def test_what_comes_of_a_launcher_and_a_library_is_what_was_predicted(
    launcher: Path, loaded: Loaded, commands: Commands
) -> None:
    prediction, outcome = started([launcher], loaded, commands)
    # Memory that was never written may be right by chance.
    possible = {prediction.outcome, Outcome.ONE_WORLD} if "mostly" in prediction.why else {prediction.outcome}
    assert outcome in possible, prediction.why


@pytest.mark.parametrize("launcher", HYDRAS, ids=str)
@pytest.mark.parametrize("loaded", [each for each in LIBRARIES if each.library.family is INTEL_MPI])
def test_hydra_that_is_told_of_its_hosts_serves_intels_library(
    launcher: Path, loaded: Loaded, commands: Commands
) -> None:
    prediction, outcome = started([launcher, "-ppn", str(RANKS)], loaded, commands)
    assert outcome is prediction.outcome is Outcome.ONE_WORLD


def started(start: list[str | Path], loaded: Loaded, commands: Commands) -> tuple[Prediction, Outcome]:
    """Start ranks with a library; return what was predicted of them, and what they became."""
    launcher = Path(start[0])
    found = identify(HERE, [str(word) for word in start], {**os.environ, "PATH": path_of(launcher)})
    prediction = predict(found, Library(loaded.library.family, loaded.library.version, loaded.library.pmi))
    variables = loaded.variables(commands.directory) | dict(prediction.variables)
    if prediction.variables:
        # The launcher's own library of PMI, which it is told to open by name.
        variables["LD_LIBRARY_PATH"] += f":{launcher.resolve().parents[1] / 'lib'}"
    # What a library reads without having written it is never right by chance (glibc fills it).
    variables["MALLOC_PERTURB_"] = "1"
    # As `espei-hpc rank` does: everything else here has MPI turned off.
    off = ("-u", "MPI4PY_MPIABI", "-u", "MPI4PY_RC_INITIALIZE")
    words = ["env", *off, *(f"{name}={value}" for name, value in variables.items())]
    command = commands.start(
        *start,
        *("-n", str(RANKS), *words, sys.executable, "-c", RANK),
        env=AS_ROOT | MORE_RANKS_THAN_CORES | {"PATH": path_of(launcher)},
    )
    try:
        ended = command.finish(SECONDS)
    except subprocess.TimeoutExpired:
        outcome = Outcome.CRASH
    else:
        outcome = came(ended.code, [file.read_text() for file in commands.directory.glob("world-*")])
    finally:
        # What some launchers leave of ranks that crashed is not what is looked at here.
        commands.end_all()
    print(command.output)
    # Of a crash: it is that of a pair, not of a library that is not even found.
    assert "cannot load MPI library" not in command.output
    return prediction, outcome


def came(code: int, worlds: list[str]) -> Outcome:
    """Tell what the ranks became, of their sizes of the world and of the message."""
    if code != 0:
        return Outcome.CRASH
    outcomes = {f"{RANKS} 2000000": Outcome.ONE_WORLD, "1 2000000": Outcome.SINGLETONS}
    assert len(worlds) == RANKS
    assert len(set(worlds)) == 1
    return outcomes[worlds[0]]
