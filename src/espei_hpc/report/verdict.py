"""The verdict on a chain: whether it has converged, and how many more iterations it needs."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from espei_hpc.report.moves import MovesCompared
from espei_hpc.report.statistics import Parameter, Statistics
from espei_hpc.sampler.moves import LAPLACE, STRETCH
from espei_hpc.text import counted

ENOUGH_SAMPLES = 400
"""Minimum effective sample size for reliable R-hat and quantiles; Vehtari et al. (2021)."""
HEALTHY = (0.15, 0.6)
"""Acceptance of an ensemble that samples well; Foreman-Mackey et al. (2013) recommend 0.2 to 0.5."""
FARTHEST_APART = 4.0
"""Largest difference that chance leaves between the samples after two kinds of proposals, standard errors."""


class Convergence(StrEnum):
    """How far a chain has converged."""

    CONVERGED = "converged"
    NOT_YET = "not converged yet"
    UNKNOWN = "too short to tell"
    STUCK = "stuck"


@dataclass(frozen=True)
class Verdict:
    """The verdict on a chain.

    Attributes:
        state: its state of convergence.
        reasons: sentences, the most important first.
        more: estimate of the additional iterations needed; None if unknown.
        at_least: whether ``more`` is a lower bound.
    """

    state: Convergence
    reasons: tuple[str, ...]
    more: int | None
    at_least: bool = False

    def in_short(self, iterations: int) -> str:
        """Return the verdict in one line, without its reasons.

        Args:
            iterations: length of the chain.
        """
        bound = "at least" if self.at_least else "about"
        missing = f": {bound} {self.more} more are needed" if self.more else ""
        return f"{self.state} after {counted(iterations, 'iteration')}{missing}"


def verdict(statistics: Statistics, sampler: str = STRETCH) -> Verdict:
    """Return the verdict on a chain from its statistics.

    Args:
        statistics: the statistics.
        sampler: name of the chain's sampler, on which it depends what acceptance is good.
    """
    slowest = statistics.slowest_of_all
    if slowest is None:
        return Verdict(Convergence.STUCK, ("No walker has moved.", *_acceptance(statistics, sampler)), None)
    passed = statistics.iterations / slowest.autocorrelation
    rhat = statistics.worst_rhat
    reasons = [
        _times(statistics, slowest, passed),
        _rhat(statistics, rhat),
        _effective(statistics, slowest),
        *_acceptance(statistics, sampler),
        *_moves(statistics.moves),
    ]
    more = _more(statistics, slowest, rhat)
    apart = statistics.moves is not None and statistics.moves.apart > FARTHEST_APART
    if more == 0 and not apart:
        return Verdict(Convergence.CONVERGED, tuple(reasons), 0)
    # What the two kinds of proposals do not share yet, a chain twice as long may.
    more = more or _rounded_up(_whole(statistics, statistics.iterations))
    trusted = passed >= statistics.part.reliable and not apart
    return Verdict(
        Convergence.NOT_YET if trusted or passed >= 1 else Convergence.UNKNOWN,
        tuple(reasons),
        more,
        not trusted,
    )


def _more(statistics: Statistics, slowest: Parameter, rhat: float) -> int:
    """Return how many more iterations are needed, assuming that the statistics do not change.

    R-hat's excess over 1 is inversely proportional to the number of iterations.
    """
    wanted = [
        statistics.part.reliable * slowest.autocorrelation,
        ENOUGH_SAMPLES * slowest.autocorrelation / statistics.used,
    ]
    if np.isfinite(rhat) and rhat > statistics.part.rhat:
        wanted.append(statistics.iterations * (rhat**2 - 1) / (statistics.part.rhat**2 - 1))
    missing = max(wanted) - statistics.iterations
    return _rounded_up(_whole(statistics, missing)) if missing > 0 else 0


def _whole(statistics: Statistics, counted: float) -> float:
    """Return the iterations of which so many count."""
    return counted / (1 - 1 / statistics.part.burn_in)


def _rounded_up(number: float) -> int:
    """Round up to two digits, which is the accuracy of the estimate."""
    step: int = 10 ** max(0, math.floor(math.log10(number)) - 1)
    return math.ceil(number / step) * step


def _times(statistics: Statistics, slowest: Parameter, passed: float) -> str:
    what = "symbol" if slowest is statistics.slowest else "combination of symbols"
    return (
        f"The chain without its {statistics.part.discarded} is {passed:.0f} autocorrelation times of the "
        f"slowest {what}, {slowest.name} ({slowest.autocorrelation:.0f} ± "
        f"{slowest.autocorrelation_error:.0f} iterations); "
        f"at least {statistics.part.reliable:.0f} are needed."
    )


def _rhat(statistics: Statistics, rhat: float) -> str:
    if not np.isfinite(rhat):
        return "There are too few iterations for R-hat."
    return (
        f"The largest R-hat over the {statistics.sides} is {rhat:.3f}; "
        f"it should be at most {statistics.part.rhat}."
    )


def _effective(statistics: Statistics, slowest: Parameter) -> str:
    total = statistics.used * statistics.iterations
    return (
        f"The effective sample size of {slowest.name} is {slowest.effective:.0f} (of {total} samples); "
        f"at least {ENOUGH_SAMPLES} is needed."
    )


def _acceptance(statistics: Statistics, sampler: str) -> list[str]:
    mean, still = float(np.mean(statistics.acceptance)), int(np.sum(statistics.acceptance == 0))
    words = []
    if mean < HEALTHY[0]:
        words.append(
            f"The acceptance is {mean:.0%}, which is low: fit fewer symbols, or start the walkers closer to "
            "each other (chain_std_deviation)."
        )
    elif mean > HEALTHY[1] and sampler != LAPLACE:
        words.append(
            f"The acceptance is {mean:.0%}, which is high: the data may not determine the symbols well."
        )
    else:
        words.append(f"The acceptance is {mean:.0%}, which is good.")
    if still:
        words.append(f"{still} of {statistics.walkers} walkers never moved.")
    if statistics.impossible:
        words.append(
            f"{statistics.impossible} of {statistics.walkers} walkers are left out: their log-probability is "
            "minus infinity, because a prior or the data exclude where they started."
        )
    return words


def _moves(moves: MovesCompared | None) -> list[str]:
    """Return the sentences about the two kinds of proposals of ``laplace``."""
    if moves is None:
        return []
    words = []
    if np.isfinite((moves.around, moves.differences)).all():
        words.append(
            f"Accepted were {moves.around:.0%} of the proposals from the Gaussian, and "
            f"{moves.differences:.0%} of those by differential evolution."
        )
    if np.isfinite(moves.apart):
        agree = moves.apart <= FARTHEST_APART
        advice = "" if agree else ", so the Gaussian misses a part of it: use --sampler de"
        words.append(
            f"The samples after either kind of proposal {'agree' if agree else 'differ'}: their means are "
            f"{moves.apart:.1f} standard errors apart at most, for {moves.symbol}; {FARTHEST_APART:.0f} are "
            f"allowed{advice}."
        )
    return words
