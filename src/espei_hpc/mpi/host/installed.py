"""The MPI libraries in a prefix."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from espei_hpc.mpi.host import contents, elf
from espei_hpc.mpi.host.family import CRAY_MPICH, MPICH, Family
from espei_hpc.mpi.host.root import Root

# Cray's own ABI-compatible build first: it has the soname that mpi4py loads.
_DIRECTORIES = (
    "lib-abi-mpich",
    "lib",
    "lib64",
    "lib/release",
    "lib64/release",
    "lib/*-linux-gnu",
    "lib/*-linux-gnu/openmpi/lib",
    "intel64/lib/release",
    "intel64/lib",
)
# Other libraries have names that begin alike: Fortran's, and those of the standard's new ABI.
_NAMES = ("libmpi.so.[0-9]*", "libmpich.so.[0-9]*", "libmpi_gnu*.so.[0-9]*", "libmpi_cray*.so.[0-9]*")
_PROGRAMS = {"bin": 1, "lib": 1, "lib64": 1, "sbin": 1}


@dataclass(frozen=True)
class Installed:
    """An MPI library of the host.

    Attributes:
        family: its family.
        version: its version; None if not known.
        path: its path, links not followed.
        soname: its soname.
        machine: its architecture, as reported by ``uname -m``.
        pmi: kinds of PMI that it supports.
    """

    family: Family
    version: str | None
    path: PurePosixPath
    soname: str
    machine: str
    pmi: tuple[str, ...]


def libraries(root: Root, prefix: PurePosixPath) -> Iterator[Installed]:
    """Find the MPI libraries installed at a prefix, those that mpi4py can use first.

    Args:
        root: the host's tree.
        prefix: the directory above ``lib``; several MPIs may share it, as in a distribution's ``/usr``.
    """
    seen: set[object] = set()
    paths = [
        path for directory in _DIRECTORIES for name in _NAMES for path in root.glob(prefix / directory / name)
    ]
    # Of the names of one file the shortest is the soname's: libmpi.so.40, not libmpi.so.40.30.4.
    for path in sorted(
        paths, key=lambda path: (not path.name.endswith((".so.40", ".so.12")), len(path.name))
    ):
        real = root.real(path)
        found = read(root, path, prefix) if real not in seen else None
        # A wheel has no links, but copies of the library under each of its names.
        if found and (path.parent, found.family, found.soname) not in seen:
            yield found
            seen.add((path.parent, found.family, found.soname))
        seen.add(real)


# A search finds the same library several times, and reading its tens of megabytes takes long.
@functools.cache
def read(root: Root, path: PurePosixPath, prefix: PurePosixPath) -> Installed | None:
    """Read one library's family, version and name; None if it is not a known MPI library."""
    family = contents.library_family(root, path)
    if family is None:
        return None
    if family is MPICH and "/opt/cray/" in f"{root.real(path)}":
        family = CRAY_MPICH
    try:
        library = elf.read(root, path)
    except elf.NotAnObject:
        return None
    version = contents.version(root, path, family) or contents.version_beside(root, prefix, family)
    pmi = family.pmi
    if any(name.startswith("libpmix.so") for name in library.needed):
        pmi = tuple(dict.fromkeys((*pmi, "pmix")))
    return Installed(family, version, path, library.soname or path.name, library.machine, pmi)


def prefix_of(path: PurePosixPath) -> PurePosixPath:
    """Return the prefix of a file: the directory above its ``bin`` or ``lib``."""
    for parent in path.parents:
        if parent.name in _PROGRAMS or parent.name == "lib-abi-mpich":
            return parent.parent
    return path.parent
