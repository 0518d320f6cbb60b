"""Which runs are meant: inputs and run directories, as the user names them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from espei_hpc.errors import Fault

ENDINGS = (".yaml", ".yml", ".json")
"""Of the inputs that ESPEI reads."""


@dataclass(frozen=True)
class Run:
    """A run to look at.

    Attributes:
        name: as the user knows it.
        directory: its run directory, which need not exist beside an input.
        input_file: its input; None where that is not known.
    """

    name: str
    directory: Path
    input_file: Path | None


def find(named: Sequence[Path]) -> tuple[list[Run], list[Fault]]:
    """Find the runs that are named, or all of the working directory if none is.

    Returns:
        Those that are there, and a fault for each that is not.
    """
    runs: list[Run] = []
    faults: list[Fault] = []
    for path in named or sorted(filter(os.path.isdir, Path().glob("*.run"))):
        directory = path.suffix == ".run" or os.path.isdir(path)
        found = _of_directory(path) if directory else _of_input(path)
        if found is not None:
            runs.append(found)
        elif directory:
            faults.append(Fault(str(path), "no run directory is there that you may look into"))
        else:
            faults.append(Fault(str(path), "no such input is there, nor a run directory beside it"))
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
