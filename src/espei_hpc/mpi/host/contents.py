"""Family and version of an MPI, read from the bytes of its files.

Running the library or its launcher would run code of the host, which was built for
another C library than that of the container.
"""

import mmap
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from espei_hpc.mpi.host.family import CRAY_MPICH, INTEL_MPI, MPICH, MVAPICH, OPEN_MPI, Family
from espei_hpc.mpi.host.root import Root
from espei_hpc.mpi.launchers import KINDS, LauncherKind
from espei_hpc.mpi.launchers.hydra import INTEL_MPI as INTEL_HYDRA
from espei_hpc.mpi.launchers.srun import SRUN

_NUMBER = rb"(\d+(?:\.\d+)+(?:(?:rc|a|b|p)\d+)?)"
# MPICH stores version and release date as adjacent strings, in either order. The patterns begin with
# a fixed byte, because other searches in a library take a second.
_AFTER_DATE = rb":\d\d [A-Z]+ \d{4}\0+" + _NUMBER + rb"\0"
_BEFORE_DATE = rb"\0" + _NUMBER + rb"\0+(?:[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:|unreleased development)"
# In this order: MPIs based on MPICH contain MPICH's strings too.
_LIBRARIES = (
    (INTEL_MPI, (b"Intel(R) MPI Library",)),
    (CRAY_MPICH, (b"CRAY MPICH",)),
    (MVAPICH, (b"MVAPICH2 Version", b"MVAPICH Version", b"MVAPICH2-")),
    (OPEN_MPI, (b"Open MPI v",)),
    (MPICH, (b"MPICH Version",)),
)
_VERSIONS = {
    "openmpi": (rb"Whether this " + _NUMBER + rb" installation supports", rb"[/=]openmpi-" + _NUMBER),
    "mpich": (_AFTER_DATE, _BEFORE_DATE, rb"/mpich-" + _NUMBER + rb"[/=]"),
    "intel": (rb"\0(20\d\d(?:\.\d+){1,2})\0", rb"\0(20\d\d Update \d+)\0"),
    "mvapich": (rb"MVAPICH2?-" + _NUMBER,),
    "cray": (rb"CRAY MPICH version " + _NUMBER,),
}
# In this order: Intel's launcher is a Hydra, and any may support Slurm.
_MARKED = (INTEL_HYDRA, *(kind for kind in KINDS if kind not in (INTEL_HYDRA, SRUN)), SRUN)
# Maximum number of bytes read from a header or a settings file.
_MOST_TEXT = 1 << 20


def library_family(root: Root, path: PurePosixPath) -> Family | None:
    """Return the family of an MPI library; None if it is not an MPI library, or not recognised."""
    with _Content(root, path) as content:
        return next((family for family, marks in _LIBRARIES if content.holds(marks)), None)


def launcher_kind(root: Root, path: PurePosixPath) -> LauncherKind | None:
    """Return the kind of a launcher; None if it is not a known launcher."""
    with _Content(root, path) as content:
        return next((kind for kind in _MARKED if content.holds(kind.marks)), None)


def version(root: Root, path: PurePosixPath, family: Family) -> str | None:
    """Return the version in a library or launcher of the family; None if there is none."""
    with _Content(root, path) as content:
        return next(filter(None, map(content.first, _VERSIONS[family.key])), None)


def version_beside(root: Root, prefix: PurePosixPath, family: Family) -> str | None:
    """Return the version from files installed with the library; None if there is none."""
    return next(filter(None, _told_beside(root, prefix, family)), None)


def _told_beside(root: Root, prefix: PurePosixPath, family: Family) -> Iterator[str | None]:
    headers = {
        "mpich": r'#define\s+MPICH_VERSION\s+"([^"]+)"',
        "mvapich": r'#define\s+MVAPICH2?_VERSION\s+"([^"]+)"',
        "openmpi": r"(?s)#define\s+OMPI_MAJOR_VERSION\s+(\d+)"
        r".*#define\s+OMPI_MINOR_VERSION\s+(\d+).*#define\s+OMPI_RELEASE_VERSION\s+(\d+)",
    }
    if pattern := headers.get(family.key):
        for header in root.glob(prefix / "include" / "mpi.h"):
            yield _in_text(root, header, pattern)
    packages = {"openmpi": "ompi", "mpich": "mpich", "intel": "impi", "mvapich": "mvapich*"}
    for package in root.glob(prefix / "lib*" / "pkgconfig" / f"{packages.get(family.key, 'none')}.pc"):
        yield _in_text(root, package, r"(?m)^Version:\s*(\S+)")
    if family is OPEN_MPI:
        for wrapper in root.glob(prefix / "share" / "openmpi" / "mpicc*-wrapper-data.txt"):
            yield _in_text(root, wrapper, r"(?m)^version=(\S+)")


def _in_text(root: Root, path: PurePosixPath, pattern: str) -> str | None:
    match = re.search(pattern, root.read_text(path, _MOST_TEXT) or "")
    return ".".join(match.groups()) if match else None


class _Content:
    """The bytes of a file, memory-mapped, since a library has tens of megabytes; empty if unreadable."""

    def __init__(self, root: Root, path: PurePosixPath) -> None:
        self._bytes: mmap.mmap | bytes = b""
        if not root.is_file(path):
            return
        try:
            with root.local(path).open("rb") as file:
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):  # ValueError: an empty file cannot be mapped
            return

    def __enter__(self) -> "_Content":
        return self

    def __exit__(self, *_: object) -> None:
        if isinstance(self._bytes, mmap.mmap):
            self._bytes.close()

    def holds(self, marks: tuple[bytes, ...]) -> bool:
        return any(self._bytes.find(mark) >= 0 for mark in marks)

    def first(self, pattern: bytes) -> str | None:
        match = re.search(pattern, self._bytes)
        return match[1].decode() if match else None
