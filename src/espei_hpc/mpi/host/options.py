"""Options of a container engine for mounts and variables."""

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
"""Characters in a variable's value that Apptainer interprets like a shell, or cannot pass on."""
VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Mount:
    """A file or directory of the host to mount into the container.

    Attributes:
        source: absolute path on the host.
        target: absolute path in the container.
        writable: whether ranks write or lock files there; else it is mounted read-only.
    """

    source: str
    target: str
    writable: bool = False


def options(engine: Engine, mounts: Iterable[Mount], variables: Mapping[str, str]) -> tuple[str, ...]:
    """Return the options for ``ENGINE exec`` or ``ENGINE run``, which go before the image's name.

    Each word is one argument; a caller that prints them for a shell must quote them.

    Args:
        engine: the container engine.
        mounts: mounts in any order; a mount inside another's target is put after it, so that neither is
            hidden.
        variables: variables to set in the container.

    Raises:
        Refusal: (CONFIGURATION) with every path and variable that cannot be passed to an engine.
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
                what = f"the path contains {name}, at which container engines split a mount"
                yield Fault(f"mount {path!r}", what, "use a symbolic link without one")
    sources: dict[str, Mount] = {}
    for mount in mounts:
        first = sources.setdefault(mount.target, mount)
        if first is not mount:
            what = f"{first.source} and {mount.source} would both be mounted there"
            yield Fault(f"mount target {mount.target}", what, "keep one of them")


def _variable_faults(variables: Mapping[str, str]) -> Iterable[Fault]:
    for name, value in variables.items():
        if not VARIABLE_NAME.fullmatch(name):
            yield Fault(f"variable {name!r}", "is not a valid name of an environment variable")
        if marks := sorted(set(value) & UNSAFE):
            what = f"its value contains {' '.join(map(repr, marks))}, which not every engine passes unchanged"
            yield Fault(f"variable {name}", what)


def _apptainer_pair(name: str, value: str) -> str:
    """Quote a pair that Apptainer would split at commas, as it does if a second ``=`` follows."""
    pair = f"{name}={value}"
    return f'"{pair}"' if "," in value and "=" in value else pair
