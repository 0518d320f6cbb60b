"""Roots of older and newer Debians: images without an MPI, and file systems of hosts with two."""

import importlib.metadata
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
TIMES = 3
"""So many are made at once, of which one may wait for the network."""


@dataclass(frozen=True)
class Roots:
    """Directories that any user may read, by the name of the release."""

    images: dict[str, Path]
    hosts: dict[str, Path]


def make_roots(place: Path) -> Roots:
    """Make all of them from this machine's package mirror and index."""
    with ThreadPoolExecutor(TIMES) as pool:
        hosts = {suite: pool.submit(_make_host, suite, place) for suite in HOSTS}
        images = {suite: pool.submit(_make_image, suite, place) for suite in IMAGES}
    return Roots(
        {suite: made.result() for suite, made in images.items()},
        {suite: made.result() for suite, made in hosts.items()},
    )


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
