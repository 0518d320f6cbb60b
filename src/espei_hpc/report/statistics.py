"""Statistics of a chain: parameter values, their uncertainty, and convergence.

R-hat is the rank-normalised split R-hat of Vehtari et al., Bayesian Analysis 16 (2021) 667, with walkers as
chains; ArviZ computes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from espei_hpc.report import quiet_arviz
from espei_hpc.report.moves import MovesCompared, compare
from espei_hpc.report.samples import FloatArray, Samples
from espei_hpc.sampler import statistics as chain_statistics
from espei_hpc.sampler.moves import Part

INTERVAL = (5.0, 50.0, 95.0)
"""Percentiles: a 90 % interval and the median."""
SMALL = 0.3
"""Share in a combination, relative to the largest, below which a symbol is not named."""
MOST_IN_WORDS = 4
"""Maximum number of symbols named in a combination."""
FEWEST_FOR_RHAT = 4
"""Minimum number of iterations for ArviZ to split walkers in two."""


@dataclass(frozen=True)
class Parameter:
    """Statistics of one quantity over the part of a chain that counts.

    Attributes:
        name: name of the symbol, or ``log-probability``.
        low: 5th percentile over walkers and iterations.
        median: 50th percentile.
        high: 95th percentile.
        best: value at the highest log-probability of the whole chain.
        autocorrelation: integrated autocorrelation time, iterations; NaN if no walker moved.
        autocorrelation_error: its standard error.
        effective: effective sample size, walkers x iterations / autocorrelation time.
        rhat: split R-hat over walkers, or halves of them; NaN if it cannot be computed.
    """

    name: str
    low: float
    median: float
    high: float
    best: float
    autocorrelation: float
    autocorrelation_error: float
    effective: float
    rhat: float

    @property
    def moves(self) -> bool:
        """Whether any walker moved."""
        return bool(np.isfinite(self.autocorrelation))


@dataclass(frozen=True)
class Statistics:
    """Statistics of the part of a chain that counts.

    Attributes:
        parameters: statistics of each symbol.
        combinations: statistics of each principal component of the symbols, in standard deviations from the
            mean; its name says which symbols change together.
        log_probability: statistics of the log-probability.
        part: the part of the chain that counts.
        iterations: number of iterations used.
        walkers: number of walkers.
        impossible: number of walkers that are left out, because their log-probability is minus infinity.
        acceptance: (walkers,) fraction of accepted proposals since the start.
        moves: comparison of the two kinds of proposals that the sampler ``laplace`` has; None for others.
    """

    parameters: tuple[Parameter, ...]
    combinations: tuple[Parameter, ...]
    log_probability: Parameter
    part: Part
    iterations: int
    walkers: int
    impossible: int
    acceptance: FloatArray
    moves: MovesCompared | None

    @property
    def used(self) -> int:
        """Number of walkers that count."""
        return self.walkers - self.impossible

    @property
    def sides(self) -> str:
        """What R-hat compares."""
        return "two halves of the walkers" if self.part.halves else "walkers"

    @property
    def slowest(self) -> Parameter | None:
        """The symbol with the longest autocorrelation time; None if none moves."""
        return _slowest(self.parameters)

    @property
    def slowest_combination(self) -> Parameter | None:
        """The combination with the longest autocorrelation time; None if fewer than two symbols move."""
        return _slowest(self.combinations)

    @property
    def slowest_of_all(self) -> Parameter | None:
        """The slowest symbol, or a combination that is slower."""
        return _slowest([one for one in (self.slowest, self.slowest_combination) if one])

    @property
    def worst_rhat(self) -> float:
        """The largest R-hat of symbols and combinations; NaN if there is none."""
        known = [one.rhat for one in (*self.parameters, *self.combinations) if np.isfinite(one.rhat)]
        return max(known, default=float("nan"))


def statistics(samples: Samples) -> Statistics:
    """Return the statistics of the part of a chain that counts."""
    positions = samples.used
    best = samples.best
    parameters = tuple(
        _parameter(name, positions[:, :, index], float(best[index]), samples.part)
        for index, name in enumerate(samples.symbols)
    )
    return Statistics(
        parameters=parameters,
        combinations=_combinations(samples),
        log_probability=_parameter(
            "log-probability",
            samples.log_probabilities[samples.possible][:, samples.kept],
            float(np.max(samples.log_probabilities)),
            samples.part,
        ),
        part=samples.part,
        iterations=positions.shape[1],
        walkers=samples.walkers,
        impossible=samples.walkers - len(positions),
        acceptance=samples.accepted / samples.iterations,
        moves=compare(samples, np.array([parameter.effective for parameter in parameters])),
    )


def _slowest(quantities: Sequence[Parameter]) -> Parameter | None:
    moving = [one for one in quantities if one.moves]
    return max(moving, key=lambda one: one.autocorrelation, default=None)


def _combinations(samples: Samples) -> tuple[Parameter, ...]:
    found = chain_statistics.combinations(samples.used)
    values, best = found.of(samples.used), found.of(samples.best)
    return tuple(
        _parameter(_in_words(loads, samples.symbols), values[:, :, number], float(best[number]), samples.part)
        for number, loads in enumerate(found.loads.T)
    )


def _in_words(loads: FloatArray, symbols: Sequence[str]) -> str:
    """Return a combination as a sum of symbols, the largest first."""
    # Rounded, so that equal shares keep the symbols' order.
    shares = np.round(np.abs(loads) / np.abs(loads).max(), 2)
    order = [one for one in np.argsort(-shares, kind="stable") if shares[one] > SMALL]
    text = symbols[order[0]]
    for one in order[1:MOST_IN_WORDS]:
        factor = "" if shares[one] == 1 else f"{shares[one]:g} "
        text += f" {'-' if loads[one] * loads[order[0]] < 0 else '+'} {factor}{symbols[one]}"
    return f"{text} + …" if len(order) > MOST_IN_WORDS else text


def _parameter(name: str, values: FloatArray, best: float, part: Part) -> Parameter:
    if not np.isfinite(values).all():  # log-probabilities of walkers that are all impossible
        return Parameter(name, *(float("nan"),) * 3, best, *(float("nan"),) * 4)
    low, median, high = np.percentile(values, INTERVAL)
    time, error, effective = _memory(values)
    return Parameter(
        name=name,
        low=float(low),
        median=float(median),
        high=float(high),
        best=best,
        autocorrelation=time,
        autocorrelation_error=error,
        effective=effective,
        rhat=_rhat(values, part.halves),
    )


def _memory(values: FloatArray) -> tuple[float, float, float]:
    """Return the autocorrelation time, its standard error and the effective sample size."""
    if np.ptp(values) == 0:
        return (float("nan"),) * 3
    walkers, iterations = values.shape
    window = chain_statistics.window(chain_statistics.autocorrelation(values))
    time = chain_statistics.autocorrelation_time(values)
    error = chain_statistics.autocorrelation_time_error(time, iterations, walkers, window)
    return time, error, chain_statistics.effective_sample_size(values)


def _rhat(values: FloatArray, halves: bool) -> float:
    """Return R-hat over walkers, shape (walkers, iterations), or over halves of equally many of them."""
    if values.shape[1] < FEWEST_FOR_RHAT or np.ptp(values) == 0:
        return float("nan")
    if halves and len(values) >= 2:
        values = values[: len(values) // 2 * 2].reshape(2, -1)
    return float(quiet_arviz.arviz().rhat(values))
