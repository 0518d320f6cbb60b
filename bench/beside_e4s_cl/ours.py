"""The cases by espei-hpc, as espei-mpi does them."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from beside_e4s_cl.cases import RANKS, Case
from beside_e4s_cl.commands import Ended, User
from beside_e4s_cl.outcome import Start, became, count_binds

HERE = Path(__file__).parent
APPTAINER = ("apptainer", "--quiet", "exec")
AS_A_RANK = (
    "import os, runpy, sys; from espei_hpc.cluster import mpi_library; "
    "mpi_library.choose(os.environ); runpy.run_path(sys.argv[1])"
)
"""Points mpi4py at a library as a rank does, then runs the program that the other side runs."""


@dataclass(frozen=True)
class Ours:
    """Our side.

    Attributes:
        user: who runs it.
    """

    user: User

    def name(self, case: Case) -> str:
        """Return make and version of a case's launcher."""
        launcher = json.loads(self._host_mpi(case, "--json").output)["launcher"]
        return str(launcher["name"]).partition("(")[2].rstrip(")")

    def start(self, case: Case) -> Start:
        """Ask which MPI the ranks must load, and start them so."""
        asked = self._host_mpi(case, "--options", "apptainer")
        said = " ".join(asked.errors.replace("espei-hpc: ", "").split())
        if asked.code != 0:
            return Start(said, "refused", asked.code, 0, asked.seconds)
        options = asked.output.splitlines()
        with_image = [*APPTAINER, *options, str(case.image)]
        binds = self.user.run(*with_image, "printenv", "APPTAINER_BIND")
        world = shutil.copy(HERE / "world.py", self.user.home)
        rank = ("python", "-c", AS_A_RANK, str(world))
        ended = self.user.run(
            case.mpi.launcher, "-n", str(RANKS), *with_image, *rank, more=case.mpi.environment
        )
        return Start(said, became(ended), ended.code, count_binds(binds), asked.seconds + ended.seconds)

    def _host_mpi(self, case: Case, *options: str) -> Ended:
        environment = case.mpi.environment
        path = ("--path", environment["PATH"]) if "PATH" in environment else ()
        asked = ("--host-mpi", str(case.taken.prefix)) if case.taken else ()
        words = ("espei-hpc", "host-mpi", "--launcher", str(case.mpi.launcher), *path, *asked, *options)
        return self.user.run(*APPTAINER, "--bind", "/:/host:ro", case.image, *words, more=environment)
