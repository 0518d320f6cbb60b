"""What a chain around the best fit needs of ``optimum.json``: the density there, and how often it is used."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from espei_hpc.rundir.files import read_json, write_json
from espei_hpc.rundir.run_directory import OPTIMUM
from espei_hpc.sampler.gaussian import Around
from espei_hpc.sampler.moves.laplace import MOSTLY

INDEPENDENT = "independent"
"""Key of the fraction of the proposals that are drawn from the density."""


class KeptDensity(NamedTuple):
    """What a search for the best fit has left.

    Attributes:
        around: the density around the best fit.
        independent: fraction of the proposals that are drawn from it.
    """

    around: Around
    independent: float


def read(run_directory: Path) -> KeptDensity | None:
    """Return what a search has left; None if the file is missing or damaged."""
    found = read_json(run_directory / OPTIMUM)
    if found is None:
        return None
    around = Around(np.array(found["parameters"]), np.array(found["root"]))
    return KeptDensity(around, found.get(INDEPENDENT, MOSTLY))


def keep_share(run_directory: Path, independent: float) -> None:
    """Add the fraction of the proposals: a resumed chain goes on with it.

    Raises:
        Refusal: (CANNOT_CREATE) on a file-system error.
    """
    path = run_directory / OPTIMUM
    write_json(path, {**(read_json(path) or {}), INDEPENDENT: independent})
