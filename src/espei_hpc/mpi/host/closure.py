"""Which files a library needs on its host, found as the dynamic loader would find them.

Nothing of the host is run: ``ldd`` would run the library's own loader, and a
program's.
"""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from espei_hpc.mpi.host.elf import NotAnObject, Object, read
from espei_hpc.mpi.host.loader import Loader
from espei_hpc.mpi.host.root import Root

# The C library in all its files. They fit only each other and the loader that the process
# began with, which is the image's.
_C_LIBRARY = re.compile(
    r"(ld-linux.*|ld64|libc|libm|libmvec|libpthread|libdl|librt|libutil|libresolv|libanl|libnsl|libnss_.*"
    r"|libthread_db|libBrokenLocale|libc_malloc_debug)\.so\.\d+"
)
# Asked for only by what was built together with the C library.
_PRIVATE = "GLIBC_PRIVATE"


@dataclass(frozen=True)
class Want:
    """The newest version of a kind that something needs."""

    version: tuple[int, ...]
    by: Object


@dataclass(frozen=True)
class Closure:
    """Libraries with all they need, directly and through others.

    Attributes:
        libraries: those asked for.
        objects: all that the host gives: ``libraries`` first, then their needs, nearest first.
        never: names left to the image: the C library's.
        missing: names needed that the host's loader would not find.
        names: every object by each name it is needed by or gives itself, those included that
            were there before a plugin.
    """

    libraries: tuple[Object, ...]
    objects: tuple[Object, ...]
    never: tuple[str, ...]
    missing: tuple[str, ...]
    names: Mapping[str, Object]

    @property
    def wants(self) -> Mapping[str, Want]:
        """The newest version needed of each kind (``elf.newest``), and by which object."""
        found: dict[str, Want] = {}
        for item in self.objects:
            for kind, version in item.wants.items():
                if kind not in found or version > found[kind].version:
                    found[kind] = Want(version, item)
        return found


def closure(
    root: Root, libraries: Sequence[str | PurePosixPath], extra_search: Sequence[str] = ()
) -> Closure:
    """Follow the needs of libraries, which end up in one process.

    Args:
        root: the host's tree.
        libraries: absolute paths on the host.
        extra_search: directories searched as those in ``LD_LIBRARY_PATH``.

    Raises:
        NotAnObject: if one of ``libraries`` is no shared object.
    """
    objects = [read(root, path) for path in libraries]
    machine = objects[0].machine if objects else ""
    return _walk(objects, Loader(root, machine, extra_search), inherited=(), known={})


def plugins(
    root: Root,
    directories: Sequence[str | PurePosixPath],
    library: Closure,
    extra_search: Sequence[str] = (),
) -> tuple[Closure, ...]:
    """Follow the needs of each plugin in directories, beyond what ``library`` has loaded already.

    Each is on its own, since one that cannot load may drop out without a word.

    Returns:
        One closure per plugin, sorted by path, with what only that plugin adds.
    """
    machine = library.libraries[0].machine if library.libraries else ""
    loader = Loader(root, machine, extra_search)
    # Whichever object of the library opens the plugin, its RPATH is searched too.
    inherited = tuple(dict.fromkeys(path for item in library.objects for path in item.rpath))
    found = (item for directory in directories for item in _objects(root, PurePosixPath(directory)))
    return tuple(_walk([item], loader, inherited, library.names) for item in found)


def _objects(root: Root, directory: PurePosixPath) -> list[Object]:
    """Read the shared objects in a directory, each once, whatever links lead to it."""
    found: dict[PurePosixPath | None, Object] = {}
    for name in root.listdir(directory):
        real = root.real(directory / name)
        if ".so" in name and real not in found:
            try:
                found[real] = read(root, directory / name)
            except NotAnObject:
                continue  # a linker's script, or a library to link with
    return list(found.values())


def _walk(
    libraries: Sequence[Object], loader: Loader, inherited: tuple[str, ...], known: Mapping[str, Object]
) -> Closure:
    names = dict(known)
    # With each object the RPATHs of those through which it was loaded.
    todo = deque((item, inherited) for item in libraries)
    objects = list(libraries)
    for item in libraries:
        _name(item, item.name, names)
    never: dict[str, None] = {}
    missing: dict[str, None] = {}
    while todo:
        item, above = todo.popleft()
        rpath = item.rpath + above
        for name in item.needed:
            if name in names or name in never or name in missing:
                continue
            # One that has a RUNPATH has no use for the RPATHs of others.
            found = loader.find(name, () if item.runpath else rpath, item.runpath)
            if _is_c_library(name, found):
                never[name] = None
            elif found is None:
                missing[name] = None
            else:
                _name(found, name, names)
                objects.append(found)
                todo.append((found, rpath))
    return Closure(tuple(libraries), tuple(objects), tuple(never), tuple(missing), names)


def _name(item: Object, name: str, names: dict[str, Object]) -> None:
    names[name] = item
    if item.soname:
        names.setdefault(item.soname, item)


def _is_c_library(name: str, found: Object | None) -> bool:
    if _C_LIBRARY.fullmatch(PurePosixPath(name).name):
        return True
    return found is not None and any(_PRIVATE in versions for versions in found.requires.values())
