"""Finding runs from the inputs and run directories on the command line."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from espei_hpc.errors import Fault

ENDINGS = (".yaml", ".yml", ".json")
"""File name endings of ESPEI's inputs."""


@dataclass(frozen=True)
class Run:
    """A run.

    Attributes:
        name: its name for the user.
        directory: its run directory, which need not exist if there is an input.
        input_file: its input; None if unknown.
    """

    name: str
    directory: Path
    input_file: Path | None


def find(named: Sequence[Path]) -> tuple[list[Run], list[Fault]]:
    """Find the runs with the given names, or all runs in the working directory if none are given.

    Returns:
        the runs found, and a fault for each one that was not found.
    """
    runs: list[Run] = []
    faults: list[Fault] = []
    for path in named or sorted(filter(os.path.isdir, Path().glob("*.run"))):
        directory = path.suffix == ".run" or os.path.isdir(path)
        found = _of_directory(path) if directory else _of_input(path)
        if found is not None:
            runs.append(found)
        elif directory:
            faults.append(Fault(str(path), "no such run directory, or no permission to read it"))
        else:
            faults.append(Fault(str(path), "no such input, and no run directory next to it"))
    return runs, faults


def _of_directory(path: Path) -> Run | None:
    if not os.path.isdir(path):
        return None
    beside = (path.resolve().with_suffix(ending) for ending in ENDINGS)
    return Run(str(path), path, next(filter(os.path.isfile, beside), None))


def _of_input(path: Path) -> Run | None:
    directory = path.resolve().with_suffix(".run")
    if not os.path.isfile(path):
        return Run(str(path), directory, None) if os.path.isdir(directory) else None
    return Run(str(path), directory, path)
