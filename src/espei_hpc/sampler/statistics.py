"""Autocorrelation time and effective sample size of a chain of the ensemble sampler.

Each walker's moves depend on other walkers, so the walkers are not the independent chains that R-hat
and the effective sample sizes based on it assume. For an ensemble the right measure is the integrated
autocorrelation time of an average over all walkers (Goodman and Weare (2010),
Comm. App. Math. Comp. Sci. 5, 65, section 5)

    tau = 1 + 2 sum_{t=1}^{M} rho(t)

with the autocorrelation rho averaged over the walkers, as emcee 3 does, and the window M by
Sokal's rule (Sokal (1997), "Monte Carlo Methods in Statistical Mechanics", section 3): the smallest
with M >= 5 tau(M). The mean subtracted is that of all walkers together, not that of each walker:
they sample the same distribution, so walkers that stay apart from each other count as correlated.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

WINDOWS_OF_TAU = 5.0
"""Sokal's c: rho is summed up to this many times tau; beyond that it is mostly noise."""


def autocorrelation(samples: FloatArray) -> FloatArray:
    """Return the autocorrelation of one quantity over a chain.

    Args:
        samples: samples of the quantity, shape (walkers, iterations).

    Returns:
        rho, shape (iterations,), by lag in iterations; rho[0] is 1. For a constant quantity
        all are 1.

    Raises:
        ValueError: if there are no samples, or they have another shape.
    """
    samples = np.asarray(samples, dtype=np.float64)
    if samples.ndim != 2 or not samples.size:
        raise ValueError(f"samples must be (walkers, iterations) and not empty, not {samples.shape}")
    iterations = samples.shape[1]
    # The mean of equal numbers may differ from them in the last bit, which is not a variance.
    if np.ptp(samples) == 0:
        return np.ones(iterations)
    # Zero-padded to twice the length, so that the correlation does not wrap around.
    length = 2 ** math.ceil(math.log2(2 * iterations))
    spectrum = np.fft.rfft(samples - samples.mean(), n=length, axis=1)
    power = (spectrum * spectrum.conj()).real.mean(axis=0)
    covariance: FloatArray = np.fft.irfft(power, n=length)[:iterations]
    rho: FloatArray = covariance / covariance[0]
    return rho


def window(rho: FloatArray) -> int:
    """Return the lag up to which an autocorrelation is summed; the last one if the chain is too short.

    Args:
        rho: shape (lags,).
    """
    wide_enough = np.arange(len(rho)) >= WINDOWS_OF_TAU * _sums(rho)
    return int(np.argmax(wide_enough)) if wide_enough.any() else len(rho) - 1


def autocorrelation_time(samples: FloatArray) -> float:
    """Return the integrated autocorrelation time of one quantity, in iterations.

    It is at least 1: no sample counts more than once. It is underestimated from a chain that is not
    much longer than it; emcee's authors recommend at least 50 times.

    Args:
        samples: of the quantity, shape (walkers, iterations).

    Raises:
        ValueError: if there are no samples, or they have another shape.
    """
    rho = autocorrelation(samples)
    return max(1.0, float(_sums(rho)[window(rho)]))


def effective_sample_size(samples: FloatArray) -> float:
    """Return the number of independent samples that give the mean of one quantity equally well.

    Args:
        samples: of the quantity, shape (walkers, iterations).

    Raises:
        ValueError: if there are no samples, or they have another shape.
    """
    return np.size(samples) / autocorrelation_time(samples)


def autocorrelation_time_error(tau: float, iterations: int, walkers: int, window: int) -> float:
    """Return the standard deviation of an autocorrelation time, in iterations.

    var(tau) = 2 (2 M + 1) / N tau^2, with N = iterations x walkers samples (Madras and Sokal (1988),
    J. Stat. Phys. 50, 109, equation C.7). It assumes independent walkers, so it is an
    underestimate.

    Args:
        tau: the autocorrelation time, iterations.
        iterations: number of iterations used for it.
        walkers: number of walkers used for it.
        window: M, the lag up to which the autocorrelation was summed.
    """
    return tau * math.sqrt(2 * (2 * window + 1) / (iterations * walkers))


class Combinations(NamedTuple):
    """The principal components of the parameters, each parameter in its standard deviations.

    Attributes:
        mean: of each parameter, shape (parameters,).
        deviation: its standard deviation, shape (parameters,); infinite for one that never moves.
        loads: how much of each parameter is in each component, shape (parameters, components); the largest
            amount of a component is positive.
    """

    mean: FloatArray
    deviation: FloatArray
    loads: FloatArray

    def of(self, positions: FloatArray) -> FloatArray:
        """Return the components of positions, shape (…, parameters), as shape (…, components)."""
        values: FloatArray = (positions - self.mean) / self.deviation @ self.loads
        return values


def combinations(positions: FloatArray) -> Combinations:
    """Return the principal components of the parameters in a chain.

    A ridge that no single parameter shows is slow along one of these. Parameters that never move are in none;
    with fewer than two that move there are no components.

    Args:
        positions: shape (walkers, iterations, parameters).
    """
    parameters = positions.shape[2]
    flat = positions.reshape(-1, parameters)
    moves = np.ptp(flat, axis=0) > 0
    mean, deviation = flat.mean(axis=0), np.where(moves, flat.std(axis=0), np.inf)
    moving = np.flatnonzero(moves)
    if len(moving) < 2:
        return Combinations(mean, deviation, np.empty((parameters, 0)))
    scaled = (flat[:, moving] - mean[moving]) / deviation[moving]
    vectors = np.linalg.eigh(scaled.T @ scaled)[1]
    largest = vectors[np.argmax(np.abs(vectors), axis=0), np.arange(len(moving))]
    loads = np.zeros((parameters, len(moving)))
    loads[moving] = vectors * np.sign(largest)
    return Combinations(mean, deviation, loads)


def _sums(rho: FloatArray) -> FloatArray:
    """Return tau for each lag as the window, shape (lags,)."""
    sums: FloatArray = 2.0 * np.cumsum(rho) - 1.0
    return sums
