"""Part h: effective samples per 1,000 evaluations of each sampler, on Gaussians and on small fits.

One evaluation after the other: how many a chain needs does not depend on the workers. The fits are measured
side by side, since their evaluations are counted, not timed.
"""

import os
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from espei_hpc.fit.around import independent, learned
from espei_hpc.sampler.learning import DRAWS
from espei_hpc.sampler.moves import DE, LAPLACE, MOVES, STRETCH, Laplace
from espei_hpc.sampler.statistics import (
    autocorrelation,
    autocorrelation_time,
    autocorrelation_time_error,
    window,
)
from espei_hpc.sampler.statistics import combinations as combinations_of
from likelihoods import begun, likelihoods
from unit.likelihood.in_process import InProcess
from unit.likelihood.likelihood_cases import Stock
from unit.sampler.serial import apart, chain

PARAMETERS = (6, 15, 30)
CHAINS_PER_PARAMETER = (2, 4)
PER_PARAMETER = 200
"""Iterations for each parameter of a Gaussian; tau of the stretch move is about 20 for each."""

FloatArray = npt.NDArray[np.float64]
Row = dict[str, Any]


def measure() -> Row:
    """Measure all samplers."""
    rows = [
        row
        for parameters in PARAMETERS
        for chains in CHAINS_PER_PARAMETER
        for row in gaussian(parameters, parameters * chains)
    ]
    return {"rows": rows, "fits": _fits()}


def gaussian(parameters: int, walkers: int) -> list[Row]:
    """Measure on a Gaussian, from walkers that are drawn from it; all moves are the same on any other."""
    start = np.random.default_rng(3).standard_normal((walkers, parameters))
    chains = {
        name: chain(lambda x: float(-0.5 * x @ x), start, move, PER_PARAMETER * parameters)
        for name, move in MOVES.items()
    }
    return [_row(f"Gaussian, d = {parameters}", sampler, samples) for sampler, samples in chains.items()]


class Lengths(NamedTuple):
    """How long the chains of a fit are.

    Attributes:
        burn_in: iterations that all samplers have in common, and the sampler that makes them.
        iterations: of each sampler.
    """

    burn_in: tuple[int, str]
    iterations: Mapping[str, int]


SMALL = Lengths((300, DE), dict.fromkeys(MOVES, 1500))
LARGE = Lengths((20, LAPLACE), {STRETCH: 500, DE: 300, LAPLACE: 100})
"""Of a fit whose evaluations take a tenth of a second; those of stretch give a bound only."""


LENGTHS = {"example": SMALL, "Al-Cu-Y": SMALL, "Al-Zn": SMALL, "Cr-Fe": SMALL, "cu-mg": LARGE}
"""Of the fits that are measured: those with the shortest evaluations, and Cu-Mg."""


def _fits() -> list[Row]:
    names = [one.name for one in likelihoods() if one.name in LENGTHS]
    # The longest first.
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        return list(pool.map(fit_of, reversed(names)))[::-1]


def fit_of(name: str) -> Row:
    """Measure on a fit, by its name."""
    (one,) = (one for one in likelihoods() if one.name == name)
    with tempfile.TemporaryDirectory() as place:
        return fit(name, begun(one, Path(place) / name), LENGTHS[name])


def fit(name: str, stock: Stock, lengths: Lengths) -> Row:
    """Measure on a fit, after a burn-in that all samplers have in common."""
    likelihood, random = InProcess(stock.recipe), np.random.RandomState(4)
    best = likelihood.around_the_best_fit()
    learning, found = learned(best, likelihood.each, random, DRAWS, lambda line: print(f"  {name}: {line}"))
    print(f"  {name}: {found}", flush=True)
    moves = {**MOVES, LAPLACE: Laplace(learning.density, independent(found))}
    iterations, sampler = lengths.burn_in
    first = stock.chains
    if sampler == LAPLACE:
        first = learning.sample(len(first), random)
    start = chain(likelihood, first, moves[sampler], iterations)[:, -1]
    chains = {
        sampler: chain(likelihood, start, moves[sampler], number)
        for sampler, number in lengths.iterations.items()
    }
    return {
        "rows": [_row(name, sampler, samples) for sampler, samples in chains.items()],
        "apart": max(apart(*pair) for pair in combinations(chains.values(), 2)),
        "learned": {"evaluations": len(learning.points), **found._asdict()},
    }


def _row(target: str, sampler: str, samples: FloatArray) -> Row:
    walkers, iterations, _ = samples.shape
    quantities = np.concatenate((samples, combinations_of(samples).of(samples)), axis=2)
    slowest = max(np.moveaxis(quantities, 2, 0), key=autocorrelation_time)
    tau = autocorrelation_time(slowest)
    error = autocorrelation_time_error(tau, iterations, walkers, window(autocorrelation(slowest)))
    moved = np.any(np.diff(samples, axis=1) != 0, axis=2)
    row = {
        "target": target,
        "sampler": sampler,
        "walkers": walkers,
        "iterations": iterations,
        "tau": round(tau, 1),
        "tau_error": round(error, 1),
        "per_thousand": round(1000 / tau, 2),
        "acceptance": round(float(moved.mean()), 3),
    }
    print(f"  {row}", flush=True)
    return row
