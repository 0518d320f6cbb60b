"""The two kinds of proposals of the sampler ``laplace`` compared: what is accepted, what is sampled.

Each leaves the fit's distribution unchanged, so the samples after either have the same one. If they do not,
one of them reaches what the other misses, and the chain is too short to have both.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from espei_hpc.report.samples import Samples
from espei_hpc.sampler.moves import LAPLACE
from espei_hpc.sampler.moves.laplace import drawn_around


@dataclass(frozen=True)
class MovesCompared:
    """The comparison.

    Attributes:
        around: fraction accepted of the proposals from a density, in the whole chain.
        differences: the same of the proposals by differential evolution.
        apart: the largest difference of two means of a symbol, one over the samples after each kind of
            proposal, in its standard errors; NaN if there is none.
        symbol: the symbol with that difference.
    """

    around: float
    differences: float
    apart: float
    symbol: str


def compare(samples: Samples, effective: NDArray[np.float64]) -> MovesCompared | None:
    """Compare the kinds of proposals of a chain; None for other samplers.

    Args:
        samples: the chain.
        effective: effective sample size of each symbol, (symbols,); NaN if unknown.
    """
    if samples.record.sampler != LAPLACE or samples.independent is None:
        return None
    walkers, iterations, symbols = samples.positions.shape
    around = drawn_around(samples.start.random, (walkers // 2, symbols), iterations, samples.independent)
    before = np.concatenate((samples.start.positions[:, np.newaxis], samples.positions[:, :-1]), axis=1)
    accepted = np.any(samples.positions != before, axis=2)
    apart = _apart(samples.used, around[samples.possible][:, samples.kept], effective)
    known = bool(np.isfinite(apart).any())
    return MovesCompared(
        around=_share(accepted[around]),
        differences=_share(accepted[~around]),
        apart=float(np.nanmax(apart)) if known else float("nan"),
        symbol=samples.symbols[int(np.nanargmax(apart))] if known else "",
    )


def _share(chosen: NDArray[np.bool_]) -> float:
    return float(chosen.mean()) if chosen.size else float("nan")


def _apart(
    positions: NDArray[np.float64], around: NDArray[np.bool_], effective: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the differences of the two means in standard errors, (symbols,).

    The two groups are taken as independent. They are neighbours in the chain, so the true error is smaller.
    """
    share = around.mean()
    if not 0 < share < 1:
        return np.full(len(effective), np.nan)
    difference = positions[around].mean(axis=0) - positions[~around].mean(axis=0)
    variance = positions.reshape(-1, positions.shape[2]).var(axis=0) / effective
    error = np.sqrt(variance * (1 / share + 1 / (1 - share)))
    apart: NDArray[np.float64] = np.abs(difference) / np.where(error > 0, error, np.nan)
    return apart
