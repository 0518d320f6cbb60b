"""What an effective sample size costs with each sampler, from rates that were measured.

A rate is the number of effective samples of the slowest parameter for each evaluation. It is highest on
Gaussians; how much lower it is on a real fit is known only from its chain, so both ends are told: the rate
on a Gaussian and that of the slowest fit that was measured (docs/samplers.md).
"""

from dataclasses import dataclass

import numpy as np

from espei_hpc.sampler.learning import DRAWS, ROUNDS
from espei_hpc.sampler.moves import DE, LAPLACE, STRETCH

ENOUGH = 400
"""The effective sample size whose costs are told: enough for R-hat and quantiles (Vehtari et al. (2021))."""
PARAMETERS = (6, 15, 30)
GAUSSIAN_RATES = {STRETCH: (8.5e-3, 3.1e-3, 1.1e-3), DE: (33e-3, 13e-3, 6.2e-3)}
"""Rates on Gaussians with so many ``PARAMETERS`` and two walkers for each."""
SLOWEST = 20.0
"""The slowest fit, Al-Cu-Y, had a 15th of these rates with ``stretch`` and a 19th with ``de``."""
LAPLACE_RATES = (0.6, 14e-3)
"""The rate on Gaussians, and the lowest of a fit that a Gaussian described at all, Al-Cu-Y."""
STEPS = 8
"""Steps of the search for the best fit, each with the derivatives by all parameters; 4 to 9 were measured."""


@dataclass(frozen=True)
class Cost:
    """What the effective sample size ``ENOUGH`` costs with a sampler.

    Attributes:
        sampler: its name.
        evaluations: fewest and most evaluations.
        core_hours: of the evaluations, for both.
        hours: walltime on the recommended ranks, for both.
    """

    sampler: str
    evaluations: tuple[int, int]
    core_hours: tuple[float, float]
    hours: tuple[float, float]


def costs(symbols: int, evaluation: float, busy_workers: float) -> tuple[Cost, ...]:
    """Return the costs of each sampler.

    Args:
        symbols: number of symbols to fit.
        evaluation: CPU seconds of an evaluation.
        busy_workers: mean number of workers that evaluate at the same time.
    """
    return tuple(
        _cost(sampler, evaluations, evaluation, busy_workers)
        for sampler, evaluations in _evaluations(symbols).items()
    )


def _evaluations(symbols: int) -> dict[str, tuple[float, float]]:
    found = {}
    for sampler, rates in GAUSSIAN_RATES.items():
        fewest = ENOUGH / _at(symbols, rates)
        found[sampler] = (fewest, fewest * SLOWEST)
    search = STEPS * (symbols + 1)
    high, low = LAPLACE_RATES
    found[LAPLACE] = (search + DRAWS + ENOUGH / high, search + ROUNDS * DRAWS + ENOUGH / low)
    return found


def _at(symbols: int, rates: tuple[float, ...]) -> float:
    """Interpolate rates: both scales logarithmic, the last slope beyond."""
    x, y = np.log(PARAMETERS), np.log(rates)
    place = int(np.clip(np.searchsorted(x, np.log(symbols)), 1, len(x) - 1))
    slope = (y[place] - y[place - 1]) / (x[place] - x[place - 1])
    return float(np.exp(y[place] + slope * (np.log(symbols) - x[place])))


def _cost(sampler: str, evaluations: tuple[float, float], evaluation: float, busy_workers: float) -> Cost:
    few, many = evaluations
    hours = few * evaluation / 3600, many * evaluation / 3600
    return Cost(
        sampler,
        (round(few), round(many)),
        hours,
        (hours[0] / busy_workers, hours[1] / busy_workers),
    )
