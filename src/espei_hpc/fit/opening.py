"""Beginning a fit: its input checked, its run directory held, and what an earlier start left in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from espei_hpc.errors import Refusal
from espei_hpc.inputs import Problem, check
from espei_hpc.rundir.run_directory import RunDirectory, held
from espei_hpc.sampler.goal import Goal

ENGINES = ("graph", "espei")
VERIFY = 500
"""ESPEI's own functions take about five times as long: so it costs 1 % of the time."""
Engine = Literal["graph", "espei"]


@dataclass(frozen=True)
class Opening:
    """What is said about the beginning.

    Attributes:
        input_file: ESPEI's input.
        run_directory: the run directory, which need not exist.
        engine: ``graph`` for our own, which resumes; ``espei`` for the stock loop, which does not.
        force_new: whether what earlier starts left is moved aside instead of going on with it.
        verify: one in how many evaluations of the prepared likelihood is compared with ESPEI's own; 0 to
            prepare nothing.
        goal: what ends the fit before all iterations are done; None for nothing.
    """

    input_file: Path
    run_directory: Path
    engine: Engine = "graph"
    force_new: bool = False
    verify: int = VERIFY
    goal: Goal | None = None


def checked(opening: Opening, say: Callable[[str], None]) -> bool:
    """Check an input and what earlier starts left, and tell whether the fit needs a cluster.

    Raises:
        Refusal: as :func:`opened`.
    """
    if not opening.run_directory.exists():
        problem = check(opening.input_file)
        for note in problem.notes:
            say(note)
        return problem.samples
    with opened(opening, lambda: None, say) as (problem, directory):
        return problem.samples and not directory.complete(problem)


@contextmanager
def opened(
    opening: Opening, still_wanted: Callable[[], None], say: Callable[[str], None]
) -> Iterator[tuple[Problem, RunDirectory]]:
    """Check an input and hold its run directory meanwhile.

    Args:
        opening: what is said about the beginning.
        still_wanted: called while another host's hold is waited for; raises to give up.
        say: prints a line.

    Raises:
        Refusal: if the input is at fault, the run directory is in use, or holds another problem's chain.
    """
    path = opening.run_directory
    # First all faults of the input at once; a run directory is made for a sound one only.
    problem = None if path.exists() else check(opening.input_file)
    with held(path, still_wanted) as directory:
        # What is moved aside need not be readable.
        with suppress(Refusal) if opening.force_new else nullcontext():
            directory.load()
        resumes = opening.engine == "graph"
        problem = problem or check(opening.input_file, directory.owns if resumes else _nothing)
        for note in (*problem.notes, *directory.notes):
            say(note)
        if opening.force_new and directory.begun:
            say(f"what was in {path} is now in {directory.set_aside(problem)}")
        elif resumes:
            directory.check_same(problem)
            directory.judge(opening.goal)
            if directory.done > 0 and not directory.complete(problem):
                say(f"going on after iteration {directory.done} of {problem.iterations}")
        yield problem, directory


def _nothing(_: Path) -> bool:
    return False
