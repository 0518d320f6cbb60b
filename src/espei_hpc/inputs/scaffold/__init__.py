"""A first project: an input with comments and all it names, which passes the check as it is written."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from espei_hpc.inputs.scaffold.writing import remove, write

INPUT = "mcmc.yaml"


@dataclass(frozen=True)
class Own:
    """What a user has already.

    Attributes:
        database: file with the database whose symbols are to be fitted.
        datasets: directory with the datasets.
    """

    database: Path
    datasets: Path


def begin(directory: Path, own: Own | None) -> list[Path]:
    """Write a project that passes ``espei-hpc check``.

    Args:
        directory: where; it is made if need be.
        own: the user's database and datasets, None for the example's.

    Returns:
        The files written.

    Raises:
        Refusal: (BAD_INPUT) if database or datasets cannot be fitted; (CANNOT_CREATE) if a file is
            there already or cannot be written. Nothing is left then.
    """
    from espei_hpc.inputs import check

    made = write(directory, _contents(directory, own))
    try:
        with contextlib.chdir(directory):  # ESPEI reads paths from there
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
