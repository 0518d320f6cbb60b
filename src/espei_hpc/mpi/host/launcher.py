"""The launcher: its kind, and which PMI it offers to the ranks.

Determined from its file, the links to it and the files next to it; no program of the host is run.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from espei_hpc.mpi.host import contents, installed, slurm
from espei_hpc.mpi.host.family import INTEL_MPI, MPICH, OPEN_MPI
from espei_hpc.mpi.host.root import Root
from espei_hpc.mpi.launchers import BY_COMMAND, BY_KEY, Key, LauncherKind, hydra
from espei_hpc.mpi.launchers.pals import PALS
from espei_hpc.mpi.launchers.srun import SRUN

_FAMILIES = {"openmpi": OPEN_MPI, "mpich": MPICH, "intel": INTEL_MPI}
_STARTERS = re.compile(
    r"(?:[\w./+-]*/)?(?:mpiexec\.hydra|mpi(?:run|exec)(?:\.openmpi|\.mpich)?|orterun|prterun|srun|jsrun)\b"
)
# Nested launcher scripts; more are taken for a loop.
_MOST_SCRIPTS = 3
_MOST_SCRIPT = 1 << 16


@dataclass(frozen=True)
class Launcher:
    """A launcher of ranks.

    Attributes:
        words: its command line.
        kind: its kind, by its key in ``mpi.launchers``; "unknown" if it is none of them.
        version: its version; None if not known.
        path: the program, links followed; None if it does not exist.
        pmi: kinds of PMI that it offers to the ranks; empty if none, or not known.
        offers: kinds of PMI that its options can select.
        chosen: whether ``pmi`` is known: set by an option, a variable or the configuration.
        slots_known: whether it knows the number of ranks per host.
    """

    words: tuple[str, ...]
    kind: Key
    version: str | None
    path: PurePosixPath | None
    pmi: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    chosen: bool = True
    slots_known: bool = False

    @property
    def name(self) -> str:
        """Its command and kind, shown to users."""
        command = PurePosixPath(self.words[0]).name
        known = BY_KEY.get(self.kind)
        if known is SRUN:
            command += f" --mpi={self.pmi[0]}" if self.pmi else ""
        elif known and known.command:
            return command
        maker = known.name if known else "of an unknown kind"
        return f"{command} ({maker} {self.version})" if self.version else f"{command} ({maker})"


def identify(root: Root, words: Sequence[str], environment: Mapping[str, str]) -> Launcher:
    """Identify a launcher.

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
    if kind is SRUN:
        choice = slurm.pmi(root, path, words, environment)
        version = slurm.version(root, path)
        return Launcher(tuple(words), kind.key, version, path, choice.pmi, choice.offers, choice.chosen)
    version = _version(root, path, kind)
    pmi = tuple(word.split("=", 1)[1] for word in words if word.startswith("--pmi=")) or kind.pmi
    return Launcher(tuple(words), kind.key, version, path, pmi, chosen=bool(pmi), slots_known=slots)


def which(root: Root, program: str, environment: Mapping[str, str]) -> PurePosixPath | None:
    """Return the program that a shell on the host would start, links not followed; None if not found."""
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
) -> tuple[PurePosixPath, LauncherKind | None]:
    """Return the program and its kind; for a script, those of the launcher it starts."""
    if program.name in BY_COMMAND:
        return program, BY_COMMAND[program.name]
    if "/pals/" in f"{root.real(program)}":  # /opt/cray/pals/1.2/bin/mpiexec
        return program, PALS
    if root.read_bytes(program, 2) != b"#!":
        return program, contents.launcher_kind(root, program)
    for starter in _starters(root, program, environment) if scripts else ():
        followed, kind = _follow(root, starter, environment, scripts - 1)
        if kind is not None:
            return followed, kind
    return program, None


def _starters(root: Root, script: PurePosixPath, environment: Mapping[str, str]) -> Iterator[PurePosixPath]:
    """Find the programs that a launcher script may start, in reverse order: scripts end in the launcher."""
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
    """Whether a script reads its own settings file, as Intel's does, and that file exists."""
    places = ("mpivars.sh", "../env/vars.sh", "../setvars.sh")
    return any(place in text and root.is_file(script.parent / place) for place in places)


def _version(root: Root, path: PurePosixPath, kind: LauncherKind) -> str | None:
    family = _FAMILIES.get(kind.key)
    if family is None:
        return None
    found = contents.version(root, path, family)
    if found is None and family is OPEN_MPI:
        # Its launcher has the version only in its libraries.
        prefix = installed.prefix_of(path)
        found = next((lib.version for lib in installed.libraries(root, prefix) if lib.family is family), None)
    return found


def _knows_slots(words: Sequence[str], environment: Mapping[str, str]) -> bool:
    return any(word in hydra.SLOTS_OPTIONS for word in words) or any(
        variable in environment for variable in hydra.SLOTS_VARIABLES
    )
