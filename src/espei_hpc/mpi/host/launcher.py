"""The program that starts the ranks: of which kind it is, and which PMI it offers them.

Told from its file, the links to it and what lies beside it; nothing of the host is run.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, cast

from espei_hpc.mpi.host import contents, installed, slurm
from espei_hpc.mpi.host.family import INTEL_MPI, MPICH, OPEN_MPI
from espei_hpc.mpi.host.root import Root

Kind = Literal["openmpi", "mpich", "intel", "pals", "srun", "flux", "jsrun", "unknown"]
NAMES: dict[Kind, str] = {
    "openmpi": "Open MPI",
    "mpich": "MPICH",
    "intel": "Intel MPI",
    "pals": "PALS",
    "srun": "Slurm",
    "flux": "Flux",
    "jsrun": "jsrun",
    "unknown": "of an unknown kind",
}
_FAMILIES = {"openmpi": OPEN_MPI, "mpich": MPICH, "intel": INTEL_MPI}
_PMI = {
    "openmpi": ("pmix",),
    "mpich": ("pmi1", "pmi2"),
    "intel": ("pmi1", "pmi2"),
    "pals": ("cray",),
    "flux": ("pmi1",),
}
# These have one name wherever they are installed, and may be wrapped by a site's script.
_BY_NAME: dict[str, Kind] = {"srun": "srun", "flux": "flux", "jsrun": "jsrun"}
_STARTERS = re.compile(
    r"(?:[\w./+-]*/)?(?:mpiexec\.hydra|mpi(?:run|exec)(?:\.openmpi|\.mpich)?|orterun|prterun|srun|jsrun)\b"
)
# A script that starts a script that starts a launcher; more is a loop.
_MOST_SCRIPTS = 3
_MOST_SCRIPT = 1 << 16
# Options, and variables of batch systems, by which a Hydra knows how many ranks each host takes. A list of
# hosts need not say how many: then it is one.
_SLOTS_OPTIONS = frozenset(("-ppn", "-perhost", "-grr"))
_SLOTS_VARIABLES = ("SLURM_JOB_ID", "PBS_NODEFILE", "LSB_MCPU_HOSTS", "PE_HOSTFILE", "COBALT_NODEFILE")


@dataclass(frozen=True)
class Launcher:
    """What starts the ranks.

    Attributes:
        words: its command line.
        kind: of launcher.
        version: of it; None where unknown.
        path: the program, links followed; None if it is not there.
        pmi: kinds of PMI it serves its ranks with: none if it is to serve none, or not known.
        offers: kinds that an option of it could choose.
        chosen: whether ``pmi`` is known: set by an option, a variable or the configuration.
        slots_known: whether it is told how many ranks each host takes.
    """

    words: tuple[str, ...]
    kind: Kind
    version: str | None
    path: PurePosixPath | None
    pmi: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    chosen: bool = True
    slots_known: bool = False

    @property
    def name(self) -> str:
        """Its command and what it is, for people."""
        command = PurePosixPath(self.words[0]).name
        maker = NAMES[self.kind] + (f" {self.version}" if self.version else "")
        if self.kind == "srun":
            option = f" --mpi={self.pmi[0]}" if self.pmi else ""
            return f"{command}{option} ({maker})"
        return command if self.kind in ("flux", "jsrun") else f"{command} ({maker})"


def identify(root: Root, words: Sequence[str], environment: Mapping[str, str]) -> Launcher:
    """Tell what a launcher is.

    Args:
        root: the host's tree.
        words: its command line without the ranks' command.
        environment: the host's, with the PATH in which it is looked up.
    """
    found = which(root, words[0], environment)
    program, kind = _follow(root, found, environment, _MOST_SCRIPTS) if found else (None, None)
    path = root.real(program) if program else None
    slots = _knows_slots(words, environment)
    if kind is None or path is None:
        return Launcher(tuple(words), "unknown", None, path, chosen=False)
    if kind == "srun":
        choice = slurm.pmi(root, path, words, environment)
        version = slurm.version(root, path)
        return Launcher(tuple(words), kind, version, path, choice.pmi, choice.offers, choice.chosen)
    version = _version(root, path, kind)
    pmi = tuple(word.split("=", 1)[1] for word in words if word.startswith("--pmi=")) or _PMI.get(kind, ())
    return Launcher(tuple(words), kind, version, path, pmi, chosen=bool(pmi), slots_known=slots)


def which(root: Root, program: str, environment: Mapping[str, str]) -> PurePosixPath | None:
    """Return the program that a shell of the host would start, links not followed; None if there is none."""
    if program.startswith("/"):
        return PurePosixPath(program) if root.is_program(program) else None
    if "/" in program:
        here = environment.get("PWD", "/")
        return which(root, f"{here}/{program}", environment)
    for directory in environment.get("PATH", "").split(":"):
        if directory.startswith("/") and root.is_program(f"{directory}/{program}"):
            return PurePosixPath(directory, program)
    return None


def _follow(
    root: Root, program: PurePosixPath, environment: Mapping[str, str], scripts: int
) -> tuple[PurePosixPath, Kind | None]:
    """Return the program and its kind, where it is a script those of what it starts."""
    if program.name in _BY_NAME:
        return program, _BY_NAME[program.name]
    if "/pals/" in f"{root.real(program)}":  # /opt/cray/pals/1.2/bin/mpiexec
        return program, "pals"
    if root.read_bytes(program, 2) != b"#!":
        return program, cast(Kind | None, contents.launcher_kind(root, program))
    for starter in _starters(root, program, environment) if scripts else ():
        followed, kind = _follow(root, starter, environment, scripts - 1)
        if kind is not None:
            return followed, kind
    return program, None


def _starters(root: Root, script: PurePosixPath, environment: Mapping[str, str]) -> Iterator[PurePosixPath]:
    """Find the programs that a launcher's script may start: the first it names last, as scripts end."""
    text = root.read_text(script, _MOST_SCRIPT) or ""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    real = root.real(script) or script
    places = [environment.get("PATH", "")]
    if _sets_its_own_path(root, real, text):
        places.insert(0, str(real.parent))
    for match in dict.fromkeys(match for line in reversed(lines) for match in _STARTERS.findall(line)):
        found = which(root, match, {"PATH": ":".join(places)})
        if found and root.real(found) != real:
            yield found


def _sets_its_own_path(root: Root, script: PurePosixPath, text: str) -> bool:
    """Tell whether a script, as Intel's, reads its own settings, which are installed with it or not."""
    places = ("mpivars.sh", "../env/vars.sh", "../setvars.sh")
    return any(place in text and root.is_file(script.parent / place) for place in places)


def _version(root: Root, path: PurePosixPath, kind: Kind) -> str | None:
    family = _FAMILIES.get(kind)
    if family is None:
        return None
    told = contents.version(root, path, family)
    if told is None and family is OPEN_MPI:
        # Its launcher keeps all it knows in libraries.
        prefix = installed.prefix_of(path)
        told = next((lib.version for lib in installed.libraries(root, prefix) if lib.family is family), None)
    return told


def _knows_slots(words: Sequence[str], environment: Mapping[str, str]) -> bool:
    return any(word in _SLOTS_OPTIONS for word in words) or any(
        variable in environment for variable in _SLOTS_VARIABLES
    )
