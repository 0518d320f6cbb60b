"""A goal for the chain: a minimum effective sample size, reached before all iterations are done.

The effective sample size is the smallest of all parameters and of their combinations, the principal
components of the chain, over the part that counts (:class:`espei_hpc.sampler.moves.Part`). It is

    walkers x iterations used / tau

with the integrated autocorrelation time tau of the ensemble (``chain_statistics``). Each walker's
moves depend on other walkers, so the walkers are not the independent chains that R-hat or an effective
sample size over chains assumes; tau over the ensemble is the better measure.

In a short chain tau is underestimated and the effective sample size overestimated, so it counts only
if at least ``Part.least`` tau iterations are used. With 20, the relative error of tau is about
1 / sqrt(walkers) (Sokal's estimate).

The chain is judged at fixed iterations, each a tenth further than the one before. So where a chain
ends depends neither on the number of workers nor on interruptions; and a long chain, for which judging
takes seconds, is judged rarely.
"""

import re
from dataclasses import dataclass

import numpy as np

from espei_hpc.sampler.moves import Part
from espei_hpc.sampler.statistics import FloatArray, autocorrelation_time, combinations

FIRST = 20
"""The first iteration at which the chain is judged: a shorter chain gives no estimate."""
SIZE = "[1-9][0-9]{0,8}"


@dataclass(frozen=True)
class Goal:
    """The goal.

    Attributes:
        size: minimum effective sample size over all parameters and combinations.
    """

    size: int

    @classmethod
    def parse(cls, text: str) -> "Goal":
        """Read ``ess=N``.

        Raises:
            ValueError: if the text has another form.
        """
        found = re.fullmatch(f"ess=({SIZE})", text)
        if found is None:
            size = text if re.fullmatch(SIZE, text) else "400"
            raise ValueError(
                f"{text!r} is not a valid goal; use --until ess={size} for an effective sample size of {size}"
            )
        return cls(int(found[1]))


@dataclass(frozen=True)
class Judgement:
    """How close a chain is to its goal.

    Attributes:
        asked: effective sample size requested.
        size: effective sample size of the chain, the smallest of all parameters and combinations.
        tau: autocorrelation time of that parameter or combination, iterations.
        iterations: length of the chain when it was judged.
        long_enough: whether it is long enough for a reliable effective sample size.
    """

    asked: int
    size: float
    tau: float
    iterations: int
    long_enough: bool

    @property
    def reached(self) -> bool:
        """Whether the goal is reached."""
        return self.size >= self.asked and self.long_enough

    def __str__(self) -> str:
        """One phrase for messages."""
        short = "" if self.long_enough else " (chain too short for a reliable estimate)"
        return f"effective sample size {self.size:.0f} of {self.asked} requested{short}"


def judge(goal: Goal, positions: FloatArray, part: Part) -> Judgement | None:
    """Judge a chain at the last of the fixed iterations that it has; None before the first.

    Args:
        goal: the goal to reach.
        positions: shape (walkers, iterations, parameters).
        part: the part of it that counts.
    """
    if (iterations := last_due(positions.shape[1])) is None:
        return None
    counted = positions[:, part.begin(iterations) : iterations]
    size, tau = smallest_ess(counted)
    return Judgement(goal.size, size, tau, iterations, counted.shape[1] >= part.least * tau)


def smallest_ess(positions: FloatArray) -> tuple[float, float]:
    """Return the smallest effective sample size and its autocorrelation time, iterations.

    Args:
        positions: shape (walkers, iterations, parameters).
    """
    quantities = np.concatenate((positions, combinations(positions).of(positions)), axis=2)
    tau = max(autocorrelation_time(quantities[:, :, number]) for number in range(quantities.shape[2]))
    return positions.shape[0] * positions.shape[1] / tau, tau


def last_due(done: int) -> int | None:
    """Return the last iteration up to ``done`` at which a chain is judged; None before the first."""
    due = None
    following = FIRST
    while following <= done:
        due, following = following, _after(following)
    return due


def next_due(done: int) -> int:
    """Return the first iteration after ``done`` at which a chain is judged."""
    due = last_due(done)
    return FIRST if due is None else _after(due)


def _after(due: int) -> int:
    return due + -(-due // 10)
