"""The beginning of a chain around the best fit: search, verdict on the Gaussian there, starting walkers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.fit.search import BestFit, Evaluations
from espei_hpc.likelihood import LikelihoodRecipe
from espei_hpc.rundir import best_fit
from espei_hpc.rundir.best_fit import KeptDensity
from espei_hpc.rundir.run_directory import NEW_START, OPTIMUM
from espei_hpc.sampler import FloatArray, State
from espei_hpc.sampler.gaussian import Fitness, fitness, resampled
from espei_hpc.sampler.moves import Laplace
from espei_hpc.sampler.moves.laplace import MOSTLY, SELDOM
from espei_hpc.sampler.state import RandomState

DRAWS = 200
"""Points at which the density around the best fit is compared with the fit's: fewer judge badly."""
RELIABLE = 0.57
"""Pareto k up to which the Gaussian describes a fit: 1 - 1/log10(draws) (the source of :class:`Fitness`)."""
USELESS = 1.0
"""Pareto k above which the weights have no mean: a chain would stay where the Gaussian is far too low."""


def move(run_directory: Path) -> Laplace:
    """Return the move around the best fit that a search left in a run directory.

    Raises:
        Refusal: (BAD_INPUT) if the file is missing or damaged.
    """
    return Laplace(*_density(run_directory))


def _density(run_directory: Path) -> KeptDensity:
    found = best_fit.read(run_directory)
    if found is None:
        what = "is missing or damaged, and the chain was begun with it"
        raise Refusal(ExitCode.BAD_INPUT, [Fault(str(run_directory / OPTIMUM), what, NEW_START)])
    return found


def started(search: BestFit, start: State, recipe: Callable[[], LikelihoodRecipe]) -> State:
    """Return the state from which a chain around the best fit begins.

    The walkers are draws of the density around it, chosen by their weights: nearly a sample of the fit's.

    Args:
        search: finds the best fit; not run yet.
        start: the state from which another sampler would begin.
        recipe: makes the recipe from which workers build the likelihood.

    Raises:
        Refusal: (BAD_INPUT) if the data leave a combination of symbols free, or the Gaussian does not
            describe the fit.
    """
    random = np.random.RandomState()
    random.set_state(start.random)
    walkers = len(start.positions)

    def chosen(evaluations: Evaluations, _: FloatArray) -> FloatArray:
        around = _density(search.directory.path).around
        points = around.draw(random, max(DRAWS, 2 * walkers))
        known = evaluations.log_probabilities(list(points))
        weights = known - np.array([around.logarithm(point) for point in points])
        found = fitness(weights)
        search.say(verdict(found))
        best_fit.keep_share(search.directory.path, independent(found))
        return points[resampled(weights, walkers, random)]

    positions = search.found(start.positions, recipe, chosen, all_determined=True)
    return replace(start, positions=positions, random=cast(RandomState, random.get_state()))


def independent(found: Fitness) -> float:
    """Return the fraction of the proposals that are drawn from the density around the best fit."""
    return MOSTLY if found.shape <= RELIABLE else SELDOM


def verdict(found: Fitness) -> str:
    """Return a line that says how well the Gaussian describes the fit.

    Raises:
        Refusal: (BAD_INPUT) if it does not.
    """
    figures = f"Pareto k {found.shape:.1f}, {found.acceptance:.0%} of its proposals accepted"
    gaussian = "the Gaussian around the best fit"
    if found.shape > USELESS:
        cure = "use --sampler de, or stretch, the default"
        what = f"{gaussian} does not describe this fit ({figures})"
        raise Refusal(ExitCode.BAD_INPUT, [Fault("--sampler laplace", what, cure)])
    if found.shape > RELIABLE:
        return f"{gaussian} describes this fit roughly ({figures}): {SELDOM:.0%} of the proposals are its"
    return f"{gaussian} describes this fit ({figures})"
