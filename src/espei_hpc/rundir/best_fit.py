"""What a chain around the best fit needs of ``optimum.json``: where it begins, and what it draws from."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from espei_hpc.rundir.files import read_json, write_json
from espei_hpc.rundir.run_directory import OPTIMUM
from espei_hpc.sampler.gaussian import Around

PROPOSALS = "proposals"
"""Key of what a chain draws from; a search alone does not have it."""


class KeptDensity(NamedTuple):
    """What a chain draws from.

    Attributes:
        density: the density of the proposals that need no other walker.
        independent: fraction of the proposals that are drawn from it.
    """

    density: Around
    independent: float


def best(run_directory: Path) -> Around | None:
    """Return the density around the best fit that a search found; None if the file is missing or damaged."""
    found = read_json(run_directory / OPTIMUM)
    return found and Around(np.array(found["parameters"]), np.array(found["root"]))


def proposals(run_directory: Path) -> KeptDensity | None:
    """Return what a chain draws from; None if the file is missing or damaged, or has none."""
    found = (read_json(run_directory / OPTIMUM) or {}).get(PROPOSALS)
    return found and KeptDensity(
        Around(np.array(found["mode"]), np.array(found["root"])), found["independent"]
    )


def keep(run_directory: Path, kept: KeptDensity) -> None:
    """Add what the chain draws from: a resumed one goes on with it.

    Raises:
        Refusal: (CANNOT_CREATE) on a file-system error.
    """
    path, (density, independent) = run_directory / OPTIMUM, kept
    content = {"mode": density.mode.tolist(), "root": density.root.tolist(), "independent": independent}
    write_json(path, {**(read_json(path) or {}), PROPOSALS: content})
