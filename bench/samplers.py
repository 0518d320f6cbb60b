"""Part h: effective samples per 1,000 evaluations of each sampler, and the best fit beside the chains.

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

from espei_hpc.errors import Refusal
from espei_hpc.fit.around import Described, independent, learned, verdict
from espei_hpc.fit.search import LARGEST_PROMISE
from espei_hpc.sampler.determined import determined
from espei_hpc.sampler.gaussian import Around
from espei_hpc.sampler.learning import DRAWS
from espei_hpc.sampler.least_squares import Optimum
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

LENGTHS = {"cu-mg": LARGE}
"""Of the fits that are not small."""
LEFT_OUT = ("all kinds", "Al-Fe", "Cu-O")
"""The first differs from the example in its kinds of data only; chains of the others meet parameters for
which ESPEI's evaluation, and so a fit, ends with an exception.
"""


class Watched:
    """A likelihood, and the best point at which it was evaluated."""

    def __init__(self, likelihood: InProcess) -> None:
        self._likelihood = likelihood
        self.highest, self.evaluations = -np.inf, 0
        self.best: FloatArray = np.empty(0)

    def __call__(self, parameters: FloatArray) -> float:
        """Return the log-probability at one point, shape (parameters,)."""
        found = self._likelihood(parameters)
        self.evaluations += 1
        if found > self.highest:
            self.highest, self.best = found, parameters
        return found


def _fits() -> list[Row]:
    names = [one.name for one in likelihoods() if one.name not in LEFT_OUT]
    # The longest first.
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        return list(pool.map(fit_of, reversed(names)))[::-1]


def fit_of(name: str) -> Row:
    """Measure on a fit, by its name."""
    (one,) = (one for one in likelihoods() if one.name == name)
    with tempfile.TemporaryDirectory() as place:
        return fit(name, begun(one, Path(place) / name), LENGTHS.get(name, SMALL))


def fit(name: str, stock: Stock, lengths: Lengths) -> Row:
    """Measure on a fit, after a burn-in that all samplers have in common."""
    likelihood, random = InProcess(stock.recipe), np.random.RandomState(4)
    best = likelihood.best_fit()
    known = determined(best.jacobian)
    moves, first, about, found = {STRETCH: MOVES[STRETCH], DE: MOVES[DE]}, stock.chains, {}, None
    iterations, burning = lengths.burn_in
    if not known.undetermined:
        around = Around(best.parameters, known.root)
        learning, found = learned(
            around, likelihood.each, random, DRAWS, lambda line: print(f"  {name}: {line}")
        )
        about = {"evaluations": len(learning.points), **found._asdict()}
        moves[LAPLACE] = Laplace(learning.density, independent(found))
        if burning == LAPLACE:
            first = learning.sample(len(first), random)
    watched = Watched(likelihood)
    start = chain(watched, first, moves[burning], iterations)[:, -1]
    chains = {one: chain(watched, start, moves[one], lengths.iterations[one]) for one in moves}
    row = {
        "rows": [_row(name, sampler, samples) for sampler, samples in chains.items()],
        "apart": max(apart(*pair) for pair in combinations(chains.values(), 2)),
        "learned": about,
        "verdict": verdict_on(best, found),
        "optimum": _beside(best, known.errors, likelihood, watched, chains),
    }
    print(f"  {name}: {row['learned']} {row['optimum']}", flush=True)
    return row


def verdict_on(best: Optimum, found: Described | None) -> str:
    """Return what a fit says before it samples with ``laplace``; None is found if not all is determined."""
    if found is None:
        return "refused: not all is determined"
    if best.promised > LARGEST_PROMISE:
        return "refused: at an edge"
    try:
        return verdict(found).split(" (")[0]
    except Refusal:
        return "refused: no Gaussian"


def _beside(
    best: Optimum,
    errors: FloatArray,
    likelihood: InProcess,
    watched: Watched,
    chains: Mapping[str, FloatArray],
) -> Row:
    """Return the best fit and its standard errors beside what the chains found."""
    samples = np.concatenate([one.reshape(-1, errors.size) for one in chains.values()])
    ratios = sorted((errors / samples.std(axis=0)).tolist())
    return {
        "log_probability": float(likelihood(best.parameters)),
        "promised": best.promised,
        "highest_in_chains": float(watched.highest),
        "evaluations": watched.evaluations,
        "from_there": float(likelihood(likelihood.best_fit(watched.best).parameters)),
        "errors_over_deviations": [ratio if np.isfinite(ratio) else None for ratio in ratios],
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
