"""Containers of the images, as users start them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from container.machine import HERE, in_image, podman_environment
from fits import write_fit
from support import Command, Commands, Result, let_anybody_write, wait_until


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
        let_anybody_write(path.parent)
        yield path


def run_and_settle(commands: Commands, *words: str | Path, env: dict[str, str] | None = None) -> Result:
    """Run a command, and wait until its engine's own helpers are gone, which end a moment after it."""
    result = commands.run(*words, env=env)
    wait_until(lambda: not commands.left(), f"{words} leaves nothing behind", seconds=120)
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

    def start(self, *words: str | Path, env: dict[str, str] | None = None) -> Command:
        """Start words on the host."""
        return self.commands.start(HERE / "as-user", self.commands.directory, *words, env=env)

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


@pytest.fixture
def endless_apptainer(sif: Path, endless_open_fit: Path, commands: Commands) -> Apptainer:
    """The same with more iterations than any test waits for."""
    commands.directory = endless_open_fit.parent
    return Apptainer(commands, sif)
