"""The beginning of a chain around the best fit: search, a density to propose from, starting walkers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar, cast

import numpy as np

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.fit.search import BestFit, Evaluations
from espei_hpc.likelihood import LikelihoodRecipe
from espei_hpc.rundir import best_fit
from espei_hpc.rundir.best_fit import KeptDensity
from espei_hpc.rundir.run_directory import NEW_START, OPTIMUM
from espei_hpc.sampler import FloatArray, State
from espei_hpc.sampler.gaussian import Around, acceptance, pareto_k
from espei_hpc.sampler.learning import DRAWS, ROUNDS, Learning, effective
from espei_hpc.sampler.moves import Laplace
from espei_hpc.sampler.moves.laplace import EVENLY, MOSTLY
from espei_hpc.sampler.state import RandomState
from espei_hpc.text import counted

ENOUGH, GOOD = 0.5, 0.75
"""What a draw is worth, in samples of the fit, where learning ends and where a density describes the fit.

Between the two the fit may be skewed: it takes a walker long to leave the tail that the density lacks, and
differential evolution is quicker there.
"""
USELESS = 1.0
"""Pareto k above which the weights have no mean: a chain would stay where the density is far too low.

Where the draws are worth much their weights are nearly equal, and k says nothing.
"""

Read = TypeVar("Read")
Evaluated = Callable[[FloatArray], FloatArray]
"""Returns log-probabilities, shape (points,), of points, shape (points, parameters)."""


class Described(NamedTuple):
    """How well a density describes a fit.

    Attributes:
        worth: of a point, in draws from the fit's distribution: the lower of all points and the last round's.
        shape: Pareto k of all points.
        accepted: share of the last round's proposals that are accepted.
    """

    worth: float
    shape: float
    accepted: float


def move(run_directory: Path) -> Laplace:
    """Return the move that was prepared in a run directory.

    Raises:
        Refusal: (BAD_INPUT) if the file is missing or damaged.
    """
    return Laplace(*_readable(best_fit.proposals(run_directory), run_directory))


def started(search: BestFit, start: State, recipe: Callable[[], LikelihoodRecipe]) -> State:
    """Return the state from which a chain around the best fit begins.

    The walkers are draws of the densities that were learned around it, chosen by their weights: nearly a
    sample of the fit's distribution.

    Args:
        search: finds the best fit; not run yet.
        start: the state from which another sampler would begin.
        recipe: makes the recipe from which workers build the likelihood.

    Raises:
        Refusal: (BAD_INPUT) if the best fit lies at an edge, the data leave a combination of symbols free,
            or no density that was learned describes the fit.
    """
    random = np.random.RandomState()
    random.set_state(start.random)
    walkers, directory = len(start.positions), search.directory.path

    def chosen(evaluations: Evaluations, _: FloatArray) -> FloatArray:
        around = _readable(best_fit.best(directory), directory)

        def evaluated(points: FloatArray) -> FloatArray:
            return evaluations.log_probabilities(list(points))

        learning, found = learned(around, evaluated, random, max(DRAWS, 2 * walkers), search.say)
        search.say(verdict(found))
        best_fit.keep(directory, KeptDensity(learning.density, independent(found)))
        return learning.sample(walkers, random)

    positions = search.found(start.positions, recipe, chosen, to_sample=True)
    return replace(start, positions=positions, random=cast(RandomState, random.get_state()))


def learned(
    around: Around,
    evaluated: Evaluated,
    random: np.random.RandomState,
    draws: int,
    say: Callable[[str], None],
) -> tuple[Learning, Described]:
    """Return a density that describes a fit, and how well; learned in rounds, until a draw is worth enough.

    The first density is not learned yet. If it is too narrow, its draws miss what it lacks, and seem to be
    worth much. So it must describe the fit, or there is a second round.

    Args:
        around: the density around the best fit, where it begins.
        evaluated: evaluates points.
        random: the generator, which is advanced.
        draws: points of a round.
        say: prints a line.
    """
    learning = Learning(around)
    for number in range(1, ROUNDS + 1):
        points = learning.density.draw(random, draws)
        learning.add(points, evaluated(points))
        found = _described(learning)
        if found.worth >= (GOOD if number == 1 else ENOUGH):
            break
        learning.learn()
        if number < ROUNDS:
            say(
                f"{counted(len(learning.points), 'point')} around the best fit are worth "
                f"{effective(learning.weights):.0f} samples; the next ones are drawn from their Gaussian"
            )
    return learning, found


def _described(learning: Learning) -> Described:
    weights, latest = learning.weights, learning.latest
    worth = min(effective(weights) / len(weights), effective(latest) / len(latest))
    return Described(worth, pareto_k(weights), acceptance(latest))


def independent(found: Described) -> float:
    """Return the fraction of the proposals that are drawn from the density."""
    return MOSTLY if found.worth >= GOOD else EVENLY


def verdict(found: Described) -> str:
    """Return a line that says how well a Gaussian describes the fit.

    Raises:
        Refusal: (BAD_INPUT) if it does not.
    """
    figures = (
        f"a draw is worth {found.worth:.2f} samples, Pareto k {found.shape:.1f}, "
        f"{found.accepted:.0%} of its proposals accepted"
    )
    if found.worth >= GOOD:
        return f"a Gaussian describes this fit ({figures})"
    if found.worth < ENOUGH and found.shape > USELESS:
        cure = "use --sampler de, or stretch, the default"
        what = f"no Gaussian describes this fit ({figures})"
        raise Refusal(ExitCode.BAD_INPUT, [Fault("--sampler laplace", what, cure)])
    return f"a Gaussian describes this fit roughly ({figures}): {EVENLY:.0%} of the proposals are its"


def _readable(found: Read | None, run_directory: Path) -> Read:
    if found is None:
        what = "is missing or damaged, and the chain was begun with it"
        raise Refusal(ExitCode.BAD_INPUT, [Fault(str(run_directory / OPTIMUM), what, NEW_START)])
    return found
