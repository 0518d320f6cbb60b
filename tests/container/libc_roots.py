"""Roots of older and newer Debians: images without an MPI, and file systems of hosts with two."""

import importlib.metadata
import sys
from dataclasses import dataclass, field
from pathlib import Path

from container.machine import HERE, run

IMAGES = {
    "bullseye": ("3.9", "minbase"),
    # Without apt, and so without a libstdc++.
    "bookworm": ("3.11", "essential"),
    "trixie": ("3.13", "minbase"),
}
"""Releases that images are made of, the oldest first: their Python, and how much of them is installed."""
HOSTS = {"bullseye": "libopenmpi3", "trixie": "libopenmpi40"}
"""Releases that hosts are made of: the package with the library of their Open MPI."""


@dataclass
class Roots:
    """Directories that any user may read, made from this machine's mirror and index when they are asked for.

    Attributes:
        place: the directory of all.
    """

    place: Path
    _made: dict[Path, Path] = field(default_factory=dict)

    def image(self, suite: str) -> Path:
        """Return the image of a release."""
        path = self.place / f"{suite}-image"
        return self._made.get(path) or self._made.setdefault(path, _make_image(suite, self.place))

    def host(self, suite: str) -> Path:
        """Return the host of a release."""
        path = self.place / f"{suite}-host"
        return self._made.get(path) or self._made.setdefault(path, _make_host(suite, self.place))


def _make_image(suite: str, place: Path) -> Path:
    """Make a root with Python and mpi4py, and no MPI."""
    python, variant = IMAGES[suite]
    image = place / f"{suite}-image"
    run(HERE / "make-base-image", suite, image, f"--variant={variant}", "--include=python3")
    wheel = ("--only-binary=:all:", "--no-deps", "--no-compile", "--python-version", python)
    target = ("--target", image / "usr/lib/python3/dist-packages")
    mpi4py = f"mpi4py=={importlib.metadata.version('mpi4py')}"
    run(sys.executable, "-m", "pip", "install", "--quiet", *wheel, *target, mpi4py)
    return image


def _make_host(suite: str, place: Path) -> Path:
    """Unpack a release's Open MPI and MPICH, with all that they need."""
    host = place / f"{suite}-host"
    packages = f"--include=base-files,libmpich12,openmpi-common,{HOSTS[suite]}"
    run(HERE / "make-base-image", suite, host, "--variant=extract", packages)
    return host
