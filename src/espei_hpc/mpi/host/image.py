"""The image's MPIs, and the libraries with which the host's libraries must be loaded."""

import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from espei_hpc.mpi.host import installed, libc
from espei_hpc.mpi.host.libc import Versions
from espei_hpc.mpi.host.predict import Library
from espei_hpc.mpi.host.root import Root


@dataclass(frozen=True)
class Image:
    """An image, or the Python environment of this process.

    Attributes:
        libraries: its MPIs; at most one of each ABI.
        offered: versions that its C library and other libraries offer.
    """

    libraries: tuple[Library, ...]
    offered: Versions


def this() -> Image:
    """Return the image in which this process runs."""
    root = Root(Path("/"))
    prefixes = sorted((Path(sys.prefix) / "mpi").glob("*"), reverse=True)
    found = [next(installed.libraries(root, PurePosixPath(prefix)), None) for prefix in prefixes]
    return Image(
        tuple(Library(library.family, library.version, library.pmi) for library in found if library),
        libc.image_libc(),
    )
