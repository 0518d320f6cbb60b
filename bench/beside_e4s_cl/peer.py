"""The cases with e4s-cl: as documented, and as an MPI expert would run them."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from beside_e4s_cl.cases import MPICH_4, OPEN_MPI_4, RANKS, SYSTEM, Case, Mpi
from beside_e4s_cl.commands import ROOT, Ended, User
from beside_e4s_cl.outcome import Start, became, count_binds

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
ENVIRONMENT = ROOT / "build" / "e4s-cl"
BIN = ENVIRONMENT / "bin"
PYTHON = "/usr/bin/python3"
"""The system's, which any user may run."""

# What mpi4py is told in the image keeps MPI off; a plain program needs it on.
PLAIN = ("env", "-u", "MPI4PY_MPIABI", "-u", "MPI4PY_RC_INITIALIZE", "python")


@dataclass(frozen=True)
class Help:
    """What an MPI expert who has read e4s-cl's source would do instead of the documented steps.

    Attributes:
        detect: words of the command that makes the profile, after the name of it.
        launch: further options of the start.
        environment: of the start.
        words: the same in words.
    """

    detect: tuple[str, ...]
    launch: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    words: str = ""


LIBMPICH = "/usr/lib/x86_64-linux-gnu/libmpich.so.12"
HELP = {
    OPEN_MPI_4.launcher: Help(
        (str(OPEN_MPI_4.launcher), "-n", str(RANKS), str(BIN / "e4s-cl-mpi-tester")),
        words="`profile detect` in place of `init`, which keeps each plugin it has seen",
    ),
    MPICH_4.launcher: Help(
        (str(MPICH_4.launcher), "-n", str(RANKS), "--", str(BIN / "python"), str(HERE / "debian_mpich.py")),
        ("--files", f"{LIBMPICH}:/.e4s-cl/hostlibs/libmpi.so.12"),
        # Each container has a user namespace of its own, across which the kernel forbids such copies.
        (("UCX_TLS", "^cma"),),
        "`profile detect` of a program that loads `libmpich.so.12`; `--files`, binding it as `libmpi.so.12`; "
        "`UCX_TLS=^cma`",
    ),
}


def install() -> None:
    """Install e4s-cl into an environment of its own."""
    if (BIN / "e4s-cl").exists():
        return
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    # Debian's python3 has no pip for such environments; this project's installs from outside.
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", ENVIRONMENT], check=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(BIN / "python")]
    subprocess.run([*pip, "install", "--requirement", REQUIREMENTS], check=True)


@dataclass(frozen=True)
class Profile:
    """What e4s-cl has found out about an MPI.

    Attributes:
        made: how it ended that made it.
        how: the command, in words.
        libraries: of the host, to be bound.
        files: of the host, to be bound.
    """

    made: Ended
    how: str
    libraries: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def mpi(self) -> str:
        """The MPI libraries among them."""
        names = [line.split()[0] for line in self.libraries if line.startswith(("libmpi.", "libmpich."))]
        return ", ".join(names) or "none"


@dataclass(frozen=True)
class Peer:
    """Their side.

    Attributes:
        user: who runs it.
    """

    user: User

    def documented(self, mpi: Mpi) -> Profile:
        """Make the profile of an MPI by ``init``."""
        if mpi.prefix != SYSTEM:
            named = ("--mpi", str(mpi.prefix), "--launcher_args", f"-n {RANKS}")
        else:
            # It knows no launcher of that name: the double dash says where the program begins.
            dash = "" if mpi.launcher.name == "mpirun" else " --"
            named = ("--launcher", str(mpi.launcher), "--launcher_args", f"-n {RANKS}{dash}")
        made = self._e4s_cl("init", *named, "--profile", _name(mpi), more=mpi.environment)
        return self._profile(made, f"`init {named[0]}`", _name(mpi))

    def helped(self, mpi: Mpi) -> Profile | None:
        """Make the profile of an MPI by what is more than documented; None where nothing more is needed."""
        if not (aid := HELP.get(mpi.launcher)):
            return None
        name = _name(mpi, helped=True)
        made = self._e4s_cl("profile", "detect", "-p", name, *aid.detect, more=mpi.environment)
        return self._profile(made, aid.words, name)

    def start(self, case: Case, *, helped: bool = False) -> Start:
        """Ask what would be done, and do it."""
        aid = HELP[case.mpi.launcher] if helped else Help(())
        options = ["--profile", _name(case.taken or case.mpi, helped=helped), *aid.launch]
        options += ["--image", str(case.image), "--backend", "apptainer"]
        environment = case.mpi.environment | dict(aid.environment)
        binds = self._e4s_cl("launch", *options, "--", "printenv", "APPTAINER_BIND", more=environment)

        world = shutil.copy(HERE / "world.py", self.user.home)
        words = (*options, str(case.mpi.launcher), "-n", str(RANKS), "--", *PLAIN, str(world))
        dry = self._e4s_cl("--dry-run", "launch", *words, more=environment)
        ended = self._e4s_cl("launch", *words, more=environment)
        said = "; ".join(_lines(dry.errors)) or "no warning"
        return Start(said, became(ended), ended.code, count_binds(binds), ended.seconds)

    def _profile(self, made: Ended, how: str, name: str) -> Profile:
        shown = self._e4s_cl("profile", "show", name).output
        libraries, _, files = shown.partition("Bound files:")
        return Profile(made, how, _items(libraries), _items(files))

    def _e4s_cl(self, *words: str, more: dict[str, str] | None = None) -> Ended:
        return self.user.run(BIN / "e4s-cl", *words, more=more)


def _name(mpi: Mpi, *, helped: bool = False) -> str:
    return "-".join([mpi.prefix.name, mpi.launcher.name, *(["helped"] if helped else [])])


def _items(text: str) -> tuple[str, ...]:
    return tuple(line.removeprefix(" - ") for line in text.splitlines() if line.startswith(" - "))


def _lines(text: str) -> Sequence[str]:
    """Return what is said, less Apptainer's own remarks."""
    return [line for line in text.splitlines() if line and not line.startswith("INFO:")]
