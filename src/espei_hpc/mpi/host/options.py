"""Mounts and variables as options of a container engine."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, get_args

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode

Engine = Literal["apptainer", "podman", "docker"]
ENGINES: tuple[Engine, ...] = get_args(Engine)
UNSAFE = set('\n"$`\\')
"""Characters in a variable's value that Apptainer takes for a shell's, or cannot carry."""
VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Mount:
    """A file or directory of the host that the container is to see.

    Attributes:
        source: absolute path on the host.
        target: absolute path in the container.
        writable: whether ranks write there or lock files there; else it is mounted read-only.
    """

    source: str
    target: str
    writable: bool = False


def options(engine: Engine, mounts: Iterable[Mount], variables: Mapping[str, str]) -> tuple[str, ...]:
    """Return the words for ``ENGINE exec`` or ``ENGINE run``, before the image's name.

    Each word is an argument of its own: a caller that prints them for a shell quotes them.

    Args:
        engine: whose options.
        mounts: in any order; a mount below another's target comes after it, so that neither is hidden.
        variables: to be set in the container.

    Raises:
        Refusal: (CONFIGURATION) with every path and variable that cannot be given to an engine.
    """
    mounts = list(dict.fromkeys(mounts))
    faults = [*_mount_faults(mounts), *_variable_faults(variables)]
    if faults:
        raise Refusal(ExitCode.CONFIGURATION, faults)
    bind = "--bind" if engine == "apptainer" else "--volume"
    words: list[str] = []
    for mount in sorted(mounts, key=lambda mount: (len(PurePosixPath(mount.target).parts), mount.target)):
        words += [bind, f"{mount.source}:{mount.target}" + ("" if mount.writable else ":ro")]
    for name, value in sorted(variables.items()):
        words += ["--env", _apptainer_pair(name, value) if engine == "apptainer" else f"{name}={value}"]
    return tuple(words)


def _mount_faults(mounts: list[Mount]) -> Iterable[Fault]:
    for path in dict.fromkeys(path for mount in mounts for path in (mount.source, mount.target)):
        if not path.startswith("/"):
            yield Fault(f"mount {path!r}", "is not an absolute path", "engines take a name for a volume")
        for mark, name in ((":", "a colon"), (",", "a comma"), ("\n", "a line end")):
            if mark in path:
                what = f"the path holds {name}, at which container engines split a mount"
                yield Fault(f"mount {path!r}", what, "name it by a link without one")
    sources: dict[str, Mount] = {}
    for mount in mounts:
        first = sources.setdefault(mount.target, mount)
        if first is not mount:
            what = f"{first.source} and {mount.source} are both to be there"
            yield Fault(f"mount target {mount.target}", what, "keep one")


def _variable_faults(variables: Mapping[str, str]) -> Iterable[Fault]:
    for name, value in variables.items():
        if not VARIABLE_NAME.fullmatch(name):
            yield Fault(f"variable {name!r}", "is no name of an environment variable")
        if marks := sorted(set(value) & UNSAFE):
            what = f"its value holds {' '.join(map(repr, marks))}, which not every engine hands over as it is"
            yield Fault(f"variable {name}", what)


def _apptainer_pair(name: str, value: str) -> str:
    """Keep a pair whole that Apptainer would take for several: with two ``=`` it splits at commas."""
    pair = f"{name}={value}"
    return f'"{pair}"' if "," in value and "=" in value else pair
