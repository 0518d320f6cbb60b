"""Find the files that a library needs on its host, as the dynamic loader would.

No program of the host is run; ``ldd`` would run the host's loader.
"""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from espei_hpc.mpi.host.elf import NotAnObject, Object, read
from espei_hpc.mpi.host.loader import Loader
from espei_hpc.mpi.host.root import Root

# The files of the C library. They fit only each other and the loader of the process, which is
# the image's.
_C_LIBRARY = re.compile(
    r"(ld-linux.*|ld64|libc|libm|libmvec|libpthread|libdl|librt|libutil|libresolv|libanl|libnsl|libnss_.*"
    r"|libthread_db|libBrokenLocale|libc_malloc_debug)\.so\.\d+"
)
# Required only by libraries built together with the C library.
_PRIVATE = "GLIBC_PRIVATE"


@dataclass(frozen=True)
class Want:
    """The newest version of a kind that something needs."""

    version: tuple[int, ...]
    by: Object


@dataclass(frozen=True)
class Closure:
    """Libraries with all their direct and indirect dependencies.

    Attributes:
        libraries: the requested libraries.
        objects: all objects from the host: ``libraries`` first, then their dependencies, nearest first.
        never: names that are always taken from the image: the C library's.
        missing: names that the host's loader would not find.
        names: each object by its soname and every name under which it is needed; for a plugin
            including those that were loaded before.
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
    """Find the dependencies of libraries that are loaded into one process.

    Args:
        root: the host's file system tree.
        libraries: absolute paths on the host.
        extra_search: directories searched like those in ``LD_LIBRARY_PATH``.

    Raises:
        NotAnObject: if one of ``libraries`` is not a shared object.
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
    """Find the dependencies of each plugin in directories, beyond those that ``library`` has loaded.

    Each plugin has its own closure, because a plugin that cannot be loaded is silently skipped.

    Returns:
        One closure per plugin, sorted by path, with the objects that only this plugin adds.
    """
    machine = library.libraries[0].machine if library.libraries else ""
    loader = Loader(root, machine, extra_search)
    # The RPATH of the object that opens the plugin is searched too; any of them may do so.
    inherited = tuple(dict.fromkeys(path for item in library.objects for path in item.rpath))
    found = (item for directory in directories for item in _objects(root, PurePosixPath(directory)))
    return tuple(_walk([item], loader, inherited, library.names) for item in found)


def _objects(root: Root, directory: PurePosixPath) -> list[Object]:
    """Read the shared objects in a directory, each once even if several links point to it."""
    found: dict[PurePosixPath | None, Object] = {}
    for name in root.listdir(directory):
        real = root.real(directory / name)
        if ".so" in name and real not in found:
            try:
                found[real] = read(root, directory / name)
            except NotAnObject:
                continue  # a linker script or a static library
    return list(found.values())


def _walk(
    libraries: Sequence[Object], loader: Loader, inherited: tuple[str, ...], known: Mapping[str, Object]
) -> Closure:
    names = dict(known)
    # Each object with the RPATHs of the objects through which it is loaded.
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
            # For an object with a RUNPATH the loader ignores the RPATHs of others.
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
