"""Images built once for all tests, by the commands that users type."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from container.machine import VARIANTS, make, make_base_image, require
from support import ROOT


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every variant of the image, in podman's storage."""
    require(shutil.which("podman") is not None, "podman is not installed")
    require(os.geteuid() == 0, "building and running as another user in podman needs root here")
    directory = tmp_path_factory.mktemp("build")
    make_base_image()
    for variant in VARIANTS:
        make("image", variant, directory)


@pytest.fixture(scope="session")
def open_place() -> Iterator[Path]:
    """A directory that any user may read and write (pytest's own are for one user)."""
    place = Path(tempfile.mkdtemp(prefix="espei-hpc-test-"))
    place.chmod(0o777)
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope="session")
def sifs(images: None, open_place: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The Apptainer image of every variant, where an ordinary user can read it."""
    require(shutil.which("apptainer") is not None, "apptainer is not installed")
    directory = tmp_path_factory.mktemp("build")
    for variant in VARIANTS:
        make("sif", variant, directory)
    return {
        variant: Path(shutil.copy(ROOT / "build" / f"espei-{variant}.sif", open_place))
        for variant in VARIANTS
    }


@pytest.fixture(scope="session")
def sif(sifs: dict[str, Path]) -> Path:
    """The Apptainer image with both MPIs."""
    return sifs["both"]
