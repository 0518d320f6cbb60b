"""The likelihood and starting walkers of a fit, as ESPEI itself prepares them."""

import copy
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from espei_hpc.fit import graph_optimizer
from espei_hpc.fit.opening import VERIFY
from espei_hpc.inputs import Problem
from espei_hpc.inputs.quiet import quiet
from espei_hpc.likelihood import Evaluator, LikelihoodRecipe
from espei_hpc.sampler import FloatArray, State


class Starting(NamedTuple):
    """The state before the first evaluation.

    Attributes:
        evaluator: the likelihood, in this process.
        stock: the same with ESPEI's own functions.
        initial: the initial guess, shape (parameters,).
        walkers: the starting walkers, shape (walkers, parameters).
    """

    evaluator: Evaluator
    stock: Evaluator
    initial: FloatArray
    walkers: FloatArray


class _SamplingReached(Exception):
    """Raised to end ESPEI's fit where the sampling would begin."""


def starting(problem: Problem) -> Starting:
    """Let ESPEI prepare a fit, and end it before sampling; none of the user's files are written.

    Takes seconds; longer if parameters are generated first.

    Args:
        problem: a checked input that samples.
    """
    found: list[tuple[State, LikelihoodRecipe]] = []

    def sample(state: State, recipe: Callable[[], LikelihoodRecipe]) -> tuple[FloatArray, FloatArray]:
        found.append((state, recipe()))
        raise _SamplingReached

    with tempfile.TemporaryDirectory() as directory, quiet(), suppress(_SamplingReached):
        graph_optimizer.run(_elsewhere(problem.settings, Path(directory)), sample)
    state, recipe = found[0]
    stock = Evaluator(recipe.packed())
    evaluator = Evaluator(replace(recipe, verify=VERIFY).packed())
    return Starting(evaluator, stock, np.array(stock.description.initial), state.positions)


def _elsewhere(settings: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Return settings with which ESPEI writes its generated database to ``directory``, and no log."""
    settings = copy.deepcopy(settings)
    database = Path(settings["output"]["output_db"])
    settings["output"] |= {"output_db": str(directory / database.name), "logfile": None, "verbosity": 0}
    return settings
