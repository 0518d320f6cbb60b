"""Podman of an ordinary user without root, with images of its own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from container.machine import HERE, IMAGE, podman, run
from support import ROOT

SCRIPT = ROOT / "entrypoints" / "espei-mpi"
# The kernel's own, or fuse-overlayfs where it does not let users: without a word podman may take the slowest.
STORAGE = """
[storage]
driver = "overlay"
"""


def settings(place: Path) -> dict[str, str]:
    """Return the variables by which podman finds what is the user's."""
    return {
        "XDG_DATA_HOME": str(place / "data"),
        "XDG_RUNTIME_DIR": str(place / "run"),
        "CONTAINERS_CONF": str(place / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(place / "storage.conf"),
    }


@contextmanager
def users_place(*variants: str) -> Iterator[Path]:
    """Make a user's place with variants of the image and the script; podman keeps a process there."""
    # Podman refuses a longer path of its runtime directory than 50 characters, in part without a word.
    place = Path(tempfile.mkdtemp(prefix="espei-hpc-"))
    try:
        place.chmod(0o777)
        shutil.copy(SCRIPT, place)
        shutil.copy(os.environ.get("CONTAINERS_CONF", HERE / "containers.conf"), place / "containers.conf")
        (place / "storage.conf").write_text(STORAGE)
        user = (HERE / "as-user", place)
        run(*user, "mkdir", "--mode=700", place / "run", place / "data")
        load(place, *variants)
        yield place
        run(*user, "podman", "system", "migrate", env=settings(place))
    finally:
        # A hundred thousand files, which Python takes minutes for.
        run("rm", "-rf", place)


def load(place: Path, *variants: str) -> None:
    """Hand variants of the image to the user."""
    archive = place / "images.tar"
    save = ("save", "--quiet", "--multi-image-archive", "--format", "docker-archive")
    podman(*save, "--output", archive, *(f"{IMAGE}:{variant}" for variant in variants))
    archive.chmod(0o644)
    run(HERE / "as-user", place, "podman", "load", "--quiet", "--input", archive, env=settings(place))
    archive.unlink()
