"""``espei-hpc init``: a first project, with a commented input and all its files, that passes the check."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from espei_hpc.inputs.scaffold.writing import remove, write

INPUT = "mcmc.yaml"


@dataclass(frozen=True)
class Own:
    """The user's own files.

    Attributes:
        database: database file with the symbols to fit.
        datasets: directory of the datasets.
    """

    database: Path
    datasets: Path


def begin(directory: Path, own: Own | None) -> list[Path]:
    """Write a project that passes ``espei-hpc check``.

    Args:
        directory: the project directory; created if it does not exist.
        own: the user's database and datasets; None for those of the example.

    Returns:
        The files written.

    Raises:
        Refusal: (BAD_INPUT) if database or datasets are not usable; (CANNOT_CREATE) if a file exists
            already or cannot be written. No files are left behind.
    """
    from espei_hpc.inputs import check

    made = write(directory, _contents(directory, own))
    try:
        with contextlib.chdir(directory):  # paths are relative to it
            check(INPUT)
    except BaseException:
        remove(made)
        raise
    return [path for path in made if path.is_file()]


def _contents(directory: Path, own: Own | None) -> Mapping[str, bytes]:
    if own is None:
        from espei_hpc.inputs.scaffold import example

        return example.contents()
    from espei_hpc.inputs.scaffold import users

    return users.contents(directory, own.database, own.datasets)
