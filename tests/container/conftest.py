"""Images built once for all tests, by the commands that users type."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from container.machine import HERE, VARIANTS, in_image, make, make_base_image, podman_environment, require
from fits import write_fit
from support import ROOT, Commands, Result, wait_until


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


@pytest.fixture
def open_fit(open_place: Path) -> Iterator[Path]:
    """The input of a small fit, in a directory in which any user may write."""
    with _open_fit(open_place, iterations=30) as path:
        yield path


@pytest.fixture
def endless_open_fit(open_place: Path) -> Iterator[Path]:
    """The same with more iterations than any test waits for."""
    with _open_fit(open_place, iterations=20_000) as path:
        yield path


@contextmanager
def _open_fit(place: Path, iterations: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=place) as directory:
        path = write_fit(Path(directory), iterations)
        for made in (path.parent, *path.parent.rglob("*")):
            made.chmod(0o777 if made.is_dir() else 0o666)
        yield path


def run_and_settle(commands: Commands, *words: str | Path, env: dict[str, str] | None = None) -> Result:
    """Run a command, and wait until its engine's own helpers are gone, which end a moment after it."""
    result = commands.run(*words, env=env)
    wait_until(lambda: not commands.left(), f"{words} leaves nothing behind", seconds=30)
    return result


@dataclass
class Container:
    """Runs commands in images."""

    commands: Commands

    def run(self, *words: str | Path, variant: str = "both", volume: Path | None = None) -> Result:
        """Run words in an image as a user it does not know."""
        command = in_image(*words, variant=variant, volume=volume)
        return run_and_settle(self.commands, *command, env=podman_environment())


@pytest.fixture
def container(images: None, commands: Commands) -> Container:
    """Podman, with all images built."""
    return Container(commands)


@dataclass
class Apptainer:
    """Runs commands as an ordinary user of Apptainer, in a directory that is also the user's home."""

    commands: Commands
    sif: Path

    def host(self, *words: str | Path, env: dict[str, str] | None = None) -> Result:
        """Run words on the host."""
        return run_and_settle(self.commands, HERE / "as-user", self.commands.directory, *words, env=env)

    def exec(self, *words: str | Path, env: dict[str, str] | None = None) -> Result:
        """Run words in the image."""
        return self.host("apptainer", "--quiet", "exec", self.sif, *words, env=env)


@pytest.fixture
def apptainer(sif: Path, open_fit: Path, commands: Commands) -> Apptainer:
    """Apptainer, with the image made and an input, x.yaml, in the working directory."""
    commands.directory = open_fit.parent
    return Apptainer(commands, sif)
