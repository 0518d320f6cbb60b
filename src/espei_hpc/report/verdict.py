"""In plain words: has the chain converged, and how many more iterations would it take."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from espei_hpc.report.statistics import Parameter, Statistics
from espei_hpc.text import counted

TIMES = 50
"""Autocorrelation times that must have passed for their estimate to be trusted; emcee's documentation."""
ENOUGH_RHAT = 1.01
"""Vehtari et al. (2021)."""
ENOUGH_SAMPLES = 400
"""Effective sample size from which R-hat and quantiles are trustworthy; Vehtari et al. (2021)."""
HEALTHY = (0.15, 0.6)
"""Acceptance of an ensemble that samples well; Foreman-Mackey et al. (2013) name 0.2 to 0.5."""
KEPT = 2
"""One iteration in so many counts: the first half is left out."""


class Convergence(StrEnum):
    """How far a chain is."""

    CONVERGED = "converged"
    NOT_YET = "not converged yet"
    UNKNOWN = "too short to tell"
    STUCK = "stuck"


@dataclass(frozen=True)
class Verdict:
    """What can be said of a chain.

    Attributes:
        state: how far it is.
        reasons: sentences, the most important first.
        more: iterations that it would take from here, as far as can be told; 0 if none, None if unknown.
        at_least: whether ``more`` is a lower bound.
    """

    state: Convergence
    reasons: tuple[str, ...]
    more: int | None
    at_least: bool = False

    def in_short(self, iterations: int) -> str:
        """Return the verdict on a chain of so many iterations without its reasons."""
        bound = "at least" if self.at_least else "about"
        missing = f": {bound} {self.more} more are needed" if self.more else ""
        return f"{self.state} after {counted(iterations, 'iteration')}{missing}"


def verdict(statistics: Statistics) -> Verdict:
    """Judge a chain by its statistics."""
    slowest = statistics.slowest
    if slowest is None:
        return Verdict(Convergence.STUCK, ("No walker has moved.", *_acceptance(statistics)), None)
    passed = statistics.iterations / slowest.autocorrelation
    rhat = statistics.worst_rhat
    reasons = [
        _times(slowest, passed),
        _rhat(rhat),
        _effective(statistics, slowest),
        *_acceptance(statistics),
    ]
    more = _more(statistics, slowest, rhat)
    if more == 0:
        return Verdict(Convergence.CONVERGED, tuple(reasons), 0)
    trusted = passed >= TIMES
    return Verdict(
        Convergence.NOT_YET if trusted or passed >= 1 else Convergence.UNKNOWN,
        tuple(reasons),
        more,
        not trusted,
    )


def _more(statistics: Statistics, slowest: Parameter, rhat: float) -> int:
    """Return how many more iterations it would take, taking the statistics for what they will stay.

    R-hat's excess over 1 falls with the reciprocal of the number of iterations.
    """
    wanted = [TIMES * slowest.autocorrelation, ENOUGH_SAMPLES * slowest.autocorrelation / statistics.walkers]
    if np.isfinite(rhat) and rhat > ENOUGH_RHAT:
        wanted.append(statistics.iterations * (rhat**2 - 1) / (ENOUGH_RHAT**2 - 1))
    missing = max(wanted) - statistics.iterations
    return _rounded_up(KEPT * missing) if missing > 0 else 0


def _rounded_up(number: float) -> int:
    """Round up to two digits: nobody knows it better."""
    step: int = 10 ** max(0, math.floor(math.log10(number)) - 1)
    return math.ceil(number / step) * step


def _times(slowest: Parameter, passed: float) -> str:
    return (
        f"The iterations that count span {passed:.0f} autocorrelation times of the slowest symbol, "
        f"{slowest.name} ({slowest.autocorrelation:.0f} ± {slowest.autocorrelation_error:.0f} iterations); "
        f"{TIMES} are wanted."
    )


def _rhat(rhat: float) -> str:
    if not np.isfinite(rhat):
        return "There are too few iterations for R-hat."
    return f"The largest R-hat over the walkers is {rhat:.3f}; {ENOUGH_RHAT} or less is wanted."


def _effective(statistics: Statistics, slowest: Parameter) -> str:
    total = statistics.walkers * statistics.iterations
    return (
        f"{total} samples are worth {slowest.effective:.0f} independent ones of {slowest.name}; "
        f"{ENOUGH_SAMPLES} are wanted."
    )


def _acceptance(statistics: Statistics) -> list[str]:
    mean, still = float(np.mean(statistics.acceptance)), int(np.sum(statistics.acceptance == 0))
    words = []
    if mean < HEALTHY[0]:
        words.append(
            f"Of the proposals {mean:.0%} were accepted, which is few: fewer symbols, or walkers that start "
            "nearer to each other (chain_std_deviation), help."
        )
    elif mean > HEALTHY[1]:
        words.append(
            f"Of the proposals {mean:.0%} were accepted, which is many: the data may say little about the "
            "symbols."
        )
    else:
        words.append(f"Of the proposals {mean:.0%} were accepted, which is healthy.")
    if still:
        words.append(f"{still} of {statistics.walkers} walkers never moved.")
    return words
