"""Find a library by name as the dynamic loader of a tree would (man 8 ld.so), without running it."""

import struct
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from espei_hpc.mpi.host.elf import NotAnObject, Object, read
from espei_hpc.mpi.host.root import Root

_CACHE = "/etc/ld.so.cache"
_CONFIGURATION = "/etc/ld.so.conf"
# The header and the entries of glibc's cache (sysdeps/generic/dl-cache.h): magic, number of
# entries; flags, offsets of name and path from the magic, kernel version, hardware.
_MAGIC = b"glibc-ld.so.cache1.1"
_HEADER = struct.Struct("<20sI24x")
_ENTRY = struct.Struct("<iIIIQ")


class Loader:
    """The dynamic loader of a tree, for one architecture.

    Copies built for newer processors (``glibc-hwcaps``) are never chosen: the
    libraries must run on every node.

    Args:
        root: the tree.
        machine: the architecture; libraries of others are skipped.
        extra_search: directories searched before the system's, like those in ``LD_LIBRARY_PATH``.
    """

    def __init__(self, root: Root, machine: str, extra_search: Sequence[str] = ()) -> None:
        self.root = root
        self.machine = machine
        self._extra = _absolute(extra_search)
        self._cache = _cache(root)
        self._system = _system_directories(root, machine, configured=self._cache is None)
        self._read: dict[str, Object | None] = {}

    def find(self, name: str, rpath: Sequence[str] = (), runpath: Sequence[str] = ()) -> Object | None:
        """Return the library the loader would use for a needed name; None if it finds none.

        Args:
            name: as needed: a file name or an absolute path.
            rpath: directories searched before all others.
            runpath: directories searched after ``extra_search``.
        """
        for path in self._candidates(name, rpath, runpath):
            found = self._object(path)
            # Like the loader, skip files of another architecture.
            if found is not None and found.machine == self.machine:
                return found
        return None

    def _candidates(self, name: str, rpath: Sequence[str], runpath: Sequence[str]) -> Iterator[str]:
        if "/" in name:
            # Any other path is relative to the working directory.
            yield from [name] if name.startswith("/") else []
            return
        yield from _below([*rpath, *self._extra, *runpath], name)
        yield from (self._cache or {}).get(name, [])
        yield from _below(self._system, name)

    def _object(self, path: str) -> Object | None:
        if path not in self._read:
            try:
                self._read[path] = read(self.root, PurePosixPath(path))
            except NotAnObject:
                self._read[path] = None
        return self._read[path]


def cached(content: bytes) -> dict[str, list[str]] | None:
    """Read glibc's cache of libraries: paths by name, the loader's first choice first.

    Returns:
        None if it is not in the format that glibc has written since 2.2, or is truncated.
    """
    # Older versions of ldconfig write a cache in the oldest format before it.
    start = content.find(_MAGIC)
    if start < 0:
        return None
    content = content[start:]
    found: dict[str, list[str]] = {}
    try:
        _, number = _HEADER.unpack_from(content)
        for index in range(number):
            entry = _ENTRY.unpack_from(content, _HEADER.size + index * _ENTRY.size)
            _, name, path, _, hardware = entry
            if hardware == 0:
                found.setdefault(_text(content, name), []).append(_text(content, path))
    except (struct.error, ValueError):
        return None
    return found


def _text(content: bytes, offset: int) -> str:
    return content[offset : content.index(b"\0", offset)].decode(errors="surrogateescape")


def _cache(root: Root) -> dict[str, list[str]] | None:
    content = root.read_bytes(_CACHE)
    return None if content is None else cached(content)


def _system_directories(root: Root, machine: str, *, configured: bool) -> tuple[str, ...]:
    """Return the directories of ``/etc/ld.so.conf``, then the defaults of all distributions' loaders."""
    multiarch = f"{machine}-linux-gnu"
    compiled_in = [f"/lib/{multiarch}", f"/usr/lib/{multiarch}", "/lib64", "/usr/lib64", "/lib", "/usr/lib"]
    return (*(_configured(root, _CONFIGURATION, frozenset()) if configured else []), *compiled_in)


def _configured(root: Root, file: str, seen: frozenset[str]) -> list[str]:
    """Return the directories in a configuration of ldconfig, with its includes expanded."""
    if file in seen:
        return []
    found: list[str] = []
    for line in (root.read_text(file) or "").splitlines():
        line = line.partition("#")[0].strip()
        word, *patterns = line.split() or [""]
        if word == "include":
            # A relative pattern is relative to the directory of the including file.
            for pattern in patterns:
                for included in root.glob(PurePosixPath(file).parent / pattern):
                    found += _configured(root, str(included), seen | {file})
        else:
            found += _absolute([line])
    return found


def _absolute(directories: Sequence[str]) -> tuple[str, ...]:
    return tuple(directory for directory in directories if directory.startswith("/"))


def _below(directories: Sequence[str], name: str) -> Iterator[str]:
    return (f"{directory.rstrip('/')}/{name}" for directory in directories)
