"""A small fit that has ended, for tests of what comes after it: run once for all of them."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from fits import write_fit
from made_once import made_once
from support import Commands


@dataclass(frozen=True)
class Finished:
    """A small fit by espei-mpi that has ended well.

    Attributes:
        input: its input, in a copy of its directory.
        output: what it printed.
    """

    input: Path
    output: str


def finish(factory: pytest.TempPathFactory, place: Path, *options: str) -> Finished:
    """Have ``espei-mpi --in x.yaml -n 3`` fit, and copy what came of it.

    Args:
        factory: of pytest's directories.
        place: gets the copy.
        options: further ones of espei-mpi; tests that give the same share the fit.
    """

    def fit(directory: Path) -> None:
        words = ("espei-mpi", "--in", write_fit(directory, iterations=30), "-n", "3")
        result = Commands(directory).run(*words, *options)
        assert result.code == 0, result.output
        (directory / "test-command-1.log").rename(directory / "output")

    made = made_once(factory, "-".join(["finished", *options]), fit)
    shutil.copytree(made, place, dirs_exist_ok=True)
    return Finished(place / "x.yaml", (place / "output").read_text())
