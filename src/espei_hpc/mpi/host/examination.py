"""Examine a host: which MPIs it has, and which MPI the ranks of a launcher would load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi.host import find, image, recipe, ways
from espei_hpc.mpi.host.asked import Asked, launcher_of
from espei_hpc.mpi.host.binding import Host
from espei_hpc.mpi.host.find import HostMpi
from espei_hpc.mpi.host.image import Image
from espei_hpc.mpi.host.launcher import Launcher, identify
from espei_hpc.mpi.host.root import Root
from espei_hpc.mpi.host.way import Way
from espei_hpc.mpi.launchers import NAMES
from espei_hpc.mpi.launchers.srun import SRUN

LAUNCHERS = (*NAMES, SRUN.command)
"""Launchers searched on PATH, in this order: those that espei-mpi uses, and Slurm's."""


@dataclass(frozen=True)
class Examination:
    """What was found on a host.

    Attributes:
        launcher: the launcher; None if the host has none.
        mpis: the host's MPIs, first the one on PATH.
        unfinished: where the search timed out; empty if it was complete.
        image: the image's MPIs and libraries.
        way: which MPI the ranks would load; None if none works.
        refusal: why none works.
    """

    launcher: Launcher | None
    mpis: tuple[HostMpi, ...]
    unfinished: str
    image: Image
    way: Way | None
    refusal: Refusal | None


def examine(root: Root, environment: Mapping[str, str], words: Sequence[str], asked: str) -> Examination:
    """Examine a host and choose a way.

    Args:
        root: the host's file system.
        environment: the host's, including PATH and variables set by modules.
        words: the launcher command; empty to find one.
        asked: ``auto``, ``none``, a directory with an MPI, or a recipe.

    Raises:
        Refusal: if the requested MPI, recipe or launcher does not exist.
    """
    host = _host(root, environment)
    launcher = _launcher(words, host)
    wanted = _asked(asked, launcher, host)
    found = find.search(root, _with_launcher_first(launcher, environment))
    here = image.this()
    way: Way | None = None
    refusal: Refusal | None = None
    try:
        way = ways.choose(launcher, found.mpis, here, wanted, host)
    except Refusal as error:
        refusal = error
    return Examination(launcher, found.mpis, found.unfinished, here, way, refusal)


def launcher_words(root: Root, environment: Mapping[str, str], asked: str) -> tuple[str, ...]:
    """Return the launcher command of the requested MPI or recipe.

    Raises:
        Refusal: if it does not exist, or has no launcher.
    """
    host = _host(root, environment)
    launcher = launcher_of(_asked(asked, None, host), host)
    if launcher is None or launcher.path is None:
        what = f"its launcher '{launcher.words[0]}' is not found" if launcher else "it names no launcher"
        cure = "load its module, or name one with --launcher, such as 'srun --mpi=pmi2'"
        raise Refusal(ExitCode.CONFIGURATION, [Fault(asked, what, cure)])
    return launcher.words


def _host(root: Root, environment: Mapping[str, str]) -> Host:
    return Host(root, environment, recipe.all_recipes(environment, root.local(PurePosixPath("/"))))


def _asked(asked: str, launcher: Launcher | None, host: Host) -> Asked:
    if asked == "auto":
        return "auto"
    if asked == "none":
        return "none"
    if asked.startswith("/"):
        return find.at(host.root, asked, host.environment, launcher)
    return recipe.load(asked, host.environment, host.root.local(PurePosixPath("/")))


def _launcher(words: Sequence[str], host: Host) -> Launcher | None:
    for candidate in [words] if words else [[name] for name in LAUNCHERS]:
        found = identify(host.root, candidate, host.environment)
        if words or found.path is not None:
            return found
    return None


def _with_launcher_first(launcher: Launcher | None, environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment with a launcher named by its path first on PATH."""
    if launcher is None or not launcher.words[0].startswith("/"):
        return environment
    directory = PurePosixPath(launcher.words[0]).parent
    return {**environment, "PATH": f"{directory}:{environment.get('PATH', '')}"}


def as_text(seen: Examination) -> list[str]:
    """Return the text output."""
    lines = [f"the image holds {', '.join(library.name for library in seen.image.libraries) or 'no MPI'}"]
    lines.append(f"launcher: {seen.launcher.name if seen.launcher else 'none found on PATH'}")
    for mpi in seen.mpis:
        lines.append(f"{mpi.name} in {mpi.prefix}: {mpi.library.name} ({mpi.found_by})")
    if not seen.mpis:
        lines.append("no MPI found on the host")
    if seen.unfinished:
        lines.append(f"the search timed out at {seen.unfinished}")
    if seen.way:
        lines += [seen.way.line, *(f"  {note}" for note in seen.way.notes)]
        lines += [f"  bound: {mount.source} -> {mount.target}" for mount in seen.way.mounts]
        lines += [f"  set: {name}={value}" for name, value in sorted(seen.way.variables.items())]
    return lines


def as_json(seen: Examination) -> dict[str, Any]:
    """Return the same for JSON."""
    return {
        "image": [library.name for library in seen.image.libraries],
        "launcher": {"name": seen.launcher.name, "words": seen.launcher.words} if seen.launcher else None,
        "mpis": [
            {
                "family": mpi.family.key,
                "version": mpi.version,
                "prefix": str(mpi.prefix),
                "library": str(mpi.library),
                "soname": mpi.soname,
                "launcher": str(mpi.launcher) if mpi.launcher else None,
                "pmi": mpi.pmi,
                "found_by": mpi.found_by,
            }
            for mpi in seen.mpis
        ],
        "unfinished": seen.unfinished,
        "way": _way(seen.way) if seen.way else None,
        "faults": [str(fault) for fault in seen.refusal.faults] if seen.refusal else [],
    }


def _way(way: Way) -> dict[str, Any]:
    return {
        "name": way.name,
        "line": way.line,
        "outcome": str(way.outcome),
        "library_family": way.library_family,
        "mounts": [[mount.source, mount.target] for mount in way.mounts],
        "variables": dict(way.variables),
        "notes": list(way.notes),
    }
