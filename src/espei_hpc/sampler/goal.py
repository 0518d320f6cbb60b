"""A goal besides a number of iterations: that the chain is worth so many independent samples.

The effective sample size is that of the parameter for which it is smallest, over the second half of
the chain: the first half is taken for the way from the starting walkers. It is

    walkers x iterations used / tau

with the integrated autocorrelation time tau of the ensemble (``chain_statistics``). The walkers
of an ensemble move along each other, so they are not the independent chains that R-hat, or an
effective sample size over chains, takes for granted: tau over the ensemble is the better measure.

A short chain makes tau too short and the size too large, so it counts only where the iterations used
are ``LEAST_TIMES`` tau or more. emcee's authors ask for 50, for the tau of a single number; with the
usual tau of some hundred iterations that would be 10,000 iterations of an ESPEI fit, which are
seldom run. With 20, tau is known to about 1 / sqrt(walkers) of itself (Sokal's error).

It is judged at iterations that are fixed beforehand, each a tenth further than the one before: where
a chain ends depends on neither the number of workers nor on when it was stopped and went on, and for a
long chain, where judging takes seconds, it is seldom done.
"""

import re
from dataclasses import dataclass

from espei_hpc.sampler.statistics import FloatArray, autocorrelation_time

FIRST = 20
"""The first iteration at which it is judged: before there is nothing to see."""
SIZE = "[1-9][0-9]{0,8}"
LEAST_TIMES = 20.0
"""Iterations used, over tau of the slowest parameter, from which on the size is believed."""


@dataclass(frozen=True)
class Goal:
    """What is to be reached.

    Attributes:
        size: effective sample size of the parameter for which it is smallest.
    """

    size: int

    @classmethod
    def parse(cls, text: str) -> "Goal":
        """Read ``ess=N``.

        Raises:
            ValueError: if it is something else.
        """
        found = re.fullmatch(f"ess=({SIZE})", text)
        if found is None:
            size = text if re.fullmatch(SIZE, text) else "400"
            raise ValueError(
                f"{text!r} is not a goal; write --until ess={size} for an effective sample size of {size}"
            )
        return cls(int(found[1]))


@dataclass(frozen=True)
class Judgement:
    """How far a chain is from its goal.

    Attributes:
        asked: effective sample size that is asked for.
        size: the one it has, for the parameter for which it is smallest.
        tau: autocorrelation time of that parameter, iterations.
        iterations: of the chain, when it was judged.
    """

    asked: int
    size: float
    tau: float
    iterations: int

    @property
    def long_enough(self) -> bool:
        """Whether the chain is so long that its size can be believed."""
        return _used(self.iterations) >= LEAST_TIMES * self.tau

    @property
    def reached(self) -> bool:
        """Whether the goal is reached."""
        return self.size >= self.asked and self.long_enough

    def __str__(self) -> str:
        """How large it is, as people are told."""
        short = "" if self.long_enough else ", from a chain too short to tell"
        return f"effective sample size {self.size:.0f} of {self.asked} asked for{short}"


def judge(goal: Goal, positions: FloatArray) -> Judgement | None:
    """Judge a chain as it was at the last iteration that is fixed for it; None before the first.

    Args:
        goal: what is to be reached.
        positions: shape (walkers, iterations, parameters).
    """
    if (iterations := last_due(positions.shape[1])) is None:
        return None
    size, tau = smallest_ess(positions[:, :iterations])
    return Judgement(goal.size, size, tau, iterations)


def smallest_ess(positions: FloatArray) -> tuple[float, float]:
    """Return effective sample size and autocorrelation time, in iterations, of the slowest parameter.

    Args:
        positions: shape (walkers, iterations, parameters), of which the second half is used.
    """
    walkers, iterations, parameters = positions.shape
    used = positions[:, iterations - _used(iterations) :]
    tau = max(autocorrelation_time(used[:, :, parameter]) for parameter in range(parameters))
    return walkers * used.shape[1] / tau, tau


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


def _used(iterations: int) -> int:
    return iterations - iterations // 2
