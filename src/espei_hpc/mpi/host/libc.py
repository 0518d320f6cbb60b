"""Check whether the host's libraries can be loaded in the image, with its C library and other libraries.

The test is the loader's own: each version name that an object needs of a
library must be among those that the copy it gets defines.
"""

import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from espei_hpc.mpi.host.closure import Closure
from espei_hpc.mpi.host.elf import Object, newest
from espei_hpc.mpi.host.loader import Loader
from espei_hpc.mpi.host.root import Root

_RUNTIME = ("libc.so.6", "libstdc++.so.6", "libgcc_s.so.1")
# MPI itself and the libraries for the host's network, batch system and drivers: always the host's.
_HOSTS_OWN = re.compile(
    r"lib(mpi|pmi|fabric|ibverbs|rdmacm|mlx\d|efa|psm|cxi|xpmem|uc[mpst]|slurm|pals|munge)"
)
# Since this version, a library that needs an executable stack cannot be loaded into a running process.
_NO_EXECUTABLE_STACK = (2, 41)


@dataclass(frozen=True)
class Versions:
    """What the image offers to libraries that are bound into it.

    Attributes:
        machine: its architecture, as reported by ``uname -m``.
        newest: the newest version of each kind (``GLIBC``, ``GLIBCXX``, ``CXXABI``, ``GCC``);
            a kind is absent if the image lacks its library.
    """

    machine: str
    newest: Mapping[str, tuple[int, ...]]
    _loader: Loader = field(repr=False, compare=False)

    def copy(self, name: str) -> Object | None:
        """Return the image's own library with this name, as its loader finds it; None if it has none."""
        return self._loader.find(name)


def image_libc(root: Root | None = None) -> Versions:
    """Read what an image offers from its own libraries.

    Args:
        root: the image's tree; by default that of this process.
    """
    machine = platform.machine()
    loader = Loader(root or Root(Path("/")), machine)
    found = [copy for name in _RUNTIME if (copy := loader.find(name))]
    return Versions(machine, newest(version for copy in found for version in copy.defines), loader)


def to_bind(closure: Closure, offered: Versions) -> tuple[Object, ...]:
    """Return the objects of a closure to bind: all except those for which the image's copies are used.

    For a plugin this includes the objects that it needs of its library's closure.
    """
    kept = dict.fromkeys(closure.libraries)
    todo = list(closure.libraries)
    while todo:
        for name in todo.pop(0).needed:
            item = closure.names.get(name)
            if item and item not in kept and not _image_serves(name, closure, offered):
                kept[item] = None
                todo.append(item)
    return tuple(kept)


def lacking(closure: Closure, offered: Versions) -> list[str]:
    """Return the reasons why objects of the closure cannot be loaded in the image, one line each."""
    return [line for item in to_bind(closure, offered) for line in _lacking(item, closure, offered)]


def _image_serves(name: str, closure: Closure, offered: Versions) -> bool:
    """Whether the image's copy can be used instead of the host's.

    The host's copy would hide it from the image's own programs. Only copies that both define
    versions can be compared; otherwise the host's is used.
    """
    host, image = closure.names.get(name), offered.copy(name)
    if host is None or image is None or host in closure.libraries or _HOSTS_OWN.match(name):
        return False
    asked = {version for item in closure.names.values() for version in item.requires.get(name, ())}
    return bool(host.defines) and asked <= image.defines


def _lacking(item: Object, closure: Closure, offered: Versions) -> Iterator[str]:
    if item.machine != offered.machine:
        yield f"{item} is built for {item.machine}, the image for {offered.machine}"
        return
    if item.executable_stack and offered.newest.get("GLIBC", ()) >= _NO_EXECUTABLE_STACK:
        yield f"{item} needs an executable stack, which the image's C library refuses"
    for name in dict.fromkeys([*item.needed, *item.requires]):
        if name not in closure.names or _image_serves(name, closure, offered):
            yield from _lacking_of(name, item, offered)
    yield from _hidden(item, offered)


def _lacking_of(name: str, item: Object, offered: Versions) -> Iterator[str]:
    """Compare the versions that an object needs of a library with those of the image's copy."""
    copy = offered.copy(name)
    if copy is None:
        if name in item.needed:
            yield f"{item} needs {name}, which is not in the image and cannot be bound from the host"
    elif copy.defines and (absent := item.requires.get(name, frozenset()) - copy.defines):
        yield f"{item} needs {_newest_names(absent)} of {name}; the image's has {_newest_names(copy.defines)}"


def _hidden(item: Object, offered: Versions) -> Iterator[str]:
    """Report a library that must be the host's but lacks versions that the image's programs may need."""
    copy = offered.copy(item.name)
    absent = copy.defines - item.defines if copy and item.defines else frozenset()
    if absent and not _HOSTS_OWN.match(item.name):
        yield f"{item} has versions that the image's copy lacks, but lacks {_newest_names(absent)} itself"


def _newest_names(versions: Iterable[str]) -> str:
    """Return the newest version of each kind as text; all versions if none is of a known kind."""
    found = newest(versions)
    names = [f"{kind}_{'.'.join(map(str, number))}" for kind, number in found.items()]
    return ", ".join(sorted(names or versions))
