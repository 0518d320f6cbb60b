"""The likelihoods that part f measures: built by ESPEI up to where it would sample, then kept in files."""

import json
import pickle
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import yaml

from case import CU_MG, cu_mg, example
from espei_hpc.inputs.quiet import quiet
from unit.likelihood.likelihood_cases import Stock, all_kinds, stock, write
from unit.likelihood.systems import SYSTEMS

FloatArray = npt.NDArray[np.float64]
Settings = dict[str, Any]

RECIPE, WALKERS = "recipe.pickle", "walkers.json"


class Likelihood(NamedTuple):
    """A likelihood to measure.

    Attributes:
        name: what the table calls it.
        write: writes its input to a directory; returns ESPEI's settings.
    """

    name: str
    write: Callable[[Path], Settings]


def likelihoods() -> Iterator[Likelihood]:
    """Return all likelihoods; Cu-Mg with 15 symbols only if available."""
    yield Likelihood("example", lambda directory: _settings(example(directory, 2, scheduler=None)))
    yield Likelihood("all kinds", lambda directory: write(directory, all_kinds()))
    yield from (Likelihood(system.name, system.write) for system in SYSTEMS)
    if CU_MG.is_dir():
        yield Likelihood("cu-mg", lambda directory: _settings(cu_mg(directory, 2, scheduler=None)))


def _settings(path: Path) -> Settings:
    settings: Settings = yaml.safe_load(path.read_text())
    return settings


def begun(likelihood: Likelihood, directory: Path) -> Stock:
    """Write an input to a directory, and return what ESPEI makes of it."""
    settings = likelihood.write(directory)
    # File names in an input are relative to the directory in which ESPEI runs.
    with chdir(directory), quiet():
        return stock(settings)


def keep(likelihood: Likelihood, directory: Path) -> None:
    """Have ESPEI prepare a fit in ``directory``, and leave its recipe and its first walkers there."""
    found = begun(likelihood, directory / "fit")
    (directory / RECIPE).write_bytes(pickle.dumps(found.recipe))
    (directory / WALKERS).write_text(json.dumps(found.chains.tolist()))


def position(walkers: FloatArray, number: int) -> FloatArray:
    """Return parameters to evaluate: each walker's, then others between two walkers, as emcee proposes them.

    Args:
        walkers: shape (walkers, parameters).
        number: which evaluation it is, from 0.
    """
    if number < len(walkers):
        walker: FloatArray = walkers[number]
        return walker
    random = np.random.default_rng(number)
    one, other = walkers[random.permutation(len(walkers))[:2]]
    between: FloatArray = one + random.uniform() * (other - one)
    return between
