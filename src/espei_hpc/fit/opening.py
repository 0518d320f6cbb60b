"""Beginning a fit: check its input, lock its run directory, load what earlier starts left there."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from espei_hpc.batch import job_name
from espei_hpc.errors import Refusal
from espei_hpc.fit.ensemble import check_walkers
from espei_hpc.inputs import Problem, check
from espei_hpc.inputs.search import Search
from espei_hpc.rundir.run_directory import RunDirectory, held
from espei_hpc.sampler.goal import Goal
from espei_hpc.sampler.moves import LAPLACE, STRETCH

ENGINES = ("graph", "espei")
VERIFY = 500
"""ESPEI's own functions take about five times as long, so this costs 1 % of the time."""
Engine = Literal["graph", "espei"]


@dataclass(frozen=True)
class Opening:
    """How to begin a fit.

    Attributes:
        input_file: ESPEI's input.
        run_directory: the run directory, which need not exist.
        engine: ``graph`` for our own, which can resume; ``espei`` for the stock loop, which cannot.
        force_new: whether to move the files of earlier starts aside instead of resuming.
        verify: one evaluation in this many of the prepared likelihood is compared with ESPEI's own; 0 to
            prepare nothing.
        goal: goal that ends the fit before all iterations are done; None for no goal.
        search: search for the best fit instead of sampling; None to sample.
        user_code: directory of the user's Python modules, in use already; None for none.
        sampler: name of the move of our own engine.
    """

    input_file: Path
    run_directory: Path
    engine: Engine = "graph"
    force_new: bool = False
    verify: int = VERIFY
    goal: Goal | None = None
    search: Search | None = None
    user_code: Path | None = None
    sampler: str = STRETCH

    def check(self, own: Callable[[Path], bool] = lambda _: False, *, evaluate: bool) -> Problem:
        """Check the input, as :func:`espei_hpc.inputs.check`, and whether its walkers suit the sampler.

        Raises:
            Refusal: if it is wrong, or there are too few walkers.
        """
        changed = self.search.settings if self.search else dict
        problem = check(self.input_file, own, evaluate=evaluate, changed=changed, user_code=self.user_code)
        if problem.walkers is None:
            return problem
        advice = check_walkers(problem, self.sampler, problem.walkers, len(problem.symbols))
        return replace(problem, notes=(*problem.notes, advice)) if advice else problem


def checked(opening: Opening, say: Callable[[str], None]) -> bool:
    """Check an input and the files of earlier starts; return whether the fit needs a cluster.

    Raises:
        Refusal: as :func:`opened`.
    """
    if not opening.run_directory.exists():
        problem = opening.check(evaluate=True)
        for note in problem.notes:
            say(note)
        return problem.samples
    with opened(opening, lambda: None, say, evaluate=True) as (problem, directory):
        if opening.search is not None:
            return not directory.found(problem, opening.search.starts)
        return problem.samples and not directory.complete(problem)


@contextmanager
def opened(
    opening: Opening, still_wanted: Callable[[], None], say: Callable[[str], None], *, evaluate: bool = False
) -> Iterator[tuple[Problem, RunDirectory]]:
    """Check an input, and lock its run directory while the context lasts.

    Args:
        opening: how to begin.
        still_wanted: called while waiting for a lock held on another host; raises to give up.
        say: prints a line.
        evaluate: whether to evaluate the starting values of a chain that is not begun yet.

    Raises:
        Refusal: if the input is wrong or has too few walkers for the sampler, or the run directory is in use
            or has the chain of another problem or sampler.
    """
    path = opening.run_directory
    # First report all faults of the input: a run directory is made for a valid input only.
    problem = None if path.exists() else opening.check(evaluate=evaluate)
    with held(path, still_wanted, job_name(os.environ)) as directory:
        # Files that are moved aside need not be readable.
        with suppress(Refusal) if opening.force_new else nullcontext():
            directory.load()
        resumes = opening.engine == "graph"
        begins = opening.force_new or not (resumes and directory.done)
        owns = directory.owns if resumes else _nothing
        problem = problem or opening.check(owns, evaluate=evaluate and begins)
        for note in (*problem.notes, *directory.notes):
            say(note)
        if opening.force_new and directory.begun:
            say(f"moved the earlier fit from {path} to {directory.set_aside(problem)}")
        elif resumes:
            searches = opening.search is not None or opening.sampler == LAPLACE
            directory.check_same(problem, opening.sampler, searches=searches)
            directory.judge(opening.goal, opening.sampler)
            if directory.done > 0 and not directory.complete(problem):
                say(f"resuming after iteration {directory.done} of {problem.iterations}")
        yield problem, directory


def _nothing(_: Path) -> bool:
    return False
