"""Images built once for all tests, by the commands that users type."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from container.machine import VARIANTS, make, make_base_image
from needs import require
from support import ROOT


@contextmanager
def _building() -> Iterator[None]:
    """Of processes that share the tests let one build; the next one finds nearly all of it done."""
    # Root, for building and for running as another user.
    require("podman", "root")
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_base_image()
        yield


def _make_once(target: str, variant: str, directory: Path) -> None:
    """Run a target of images.mk, unless another process that shares the tests has done so."""
    stamp, run = ROOT / "build" / f"{target}-{variant}.made-by", os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None or not stamp.exists() or stamp.read_text() != run:
        make(target, variant, directory)
        stamp.write_text(run or "")


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every variant of the image, in podman's storage."""
    directory = tmp_path_factory.mktemp("build")
    with _building():
        for variant in VARIANTS:
            _make_once("image", variant, directory)


@pytest.fixture(scope="session")
def open_place() -> Iterator[Path]:
    """A directory that any user may read and write (pytest's own are for one user)."""
    place = Path(tempfile.mkdtemp(prefix="espei-hpc-test-"))
    place.chmod(0o777)
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope="session")
def sif(open_place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Apptainer image with both MPIs."""
    return _make_sif("both", open_place, tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="session")
def sifs(sif: Path, open_place: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the Apptainer image of a variant, where an ordinary user can read it; made when asked for."""
    made = {"both": sif}

    def of(variant: str) -> Path:
        if variant not in made:
            made[variant] = _make_sif(variant, open_place, tmp_path_factory.mktemp("build"))
        return made[variant]

    return of


def _make_sif(variant: str, place: Path, directory: Path) -> Path:
    require("Apptainer")
    with _building():
        _make_once("sif", variant, directory)
        return Path(shutil.copy(ROOT / "build" / f"espei-{variant}.sif", place))
