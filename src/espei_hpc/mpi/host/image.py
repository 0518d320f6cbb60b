"""What the image brings: its MPIs, and the libraries against which the host's must load."""

import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from espei_hpc.mpi.host import installed, libc
from espei_hpc.mpi.host.libc import Versions
from espei_hpc.mpi.host.predict import Library
from espei_hpc.mpi.host.root import Root


@dataclass(frozen=True)
class Image:
    """An image, or a Python environment that stands for one.

    Attributes:
        libraries: the MPIs it holds; none, or one of each ABI.
        offered: versions that its C library and others offer.
    """

    libraries: tuple[Library, ...]
    offered: Versions


def this() -> Image:
    """Return the image in which this runs."""
    root = Root(Path("/"))
    prefixes = sorted((Path(sys.prefix) / "mpi").glob("*"), reverse=True)
    found = [next(installed.libraries(root, PurePosixPath(prefix)), None) for prefix in prefixes]
    return Image(
        tuple(Library(library.family, library.version, library.pmi) for library in found if library),
        libc.image_libc(),
    )
