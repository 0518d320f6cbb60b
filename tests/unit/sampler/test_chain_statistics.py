"""Autocorrelation times against chains of which they are known."""

import math

import numpy as np
import pytest

from espei_hpc.sampler import statistics as statistics

WALKERS, ITERATIONS = 16, 4000


def ar1(
    phi: float, walkers: int = WALKERS, iterations: int = ITERATIONS, seed: int = 0
) -> statistics.FloatArray:
    """Make x(t) = phi x(t-1) + noise, stationary: rho(t) = phi^t, so tau = (1 + phi) / (1 - phi)."""
    noise = np.random.default_rng(seed).normal(size=(walkers, iterations))
    samples = np.empty_like(noise)
    samples[:, 0] = noise[:, 0] / math.sqrt(1 - phi**2)
    for t in range(1, iterations):
        samples[:, t] = phi * samples[:, t - 1] + noise[:, t]
    return samples


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9, 0.98])
def test_the_time_is_the_one_known_for_an_autoregressive_chain(phi: float) -> None:
    samples = ar1(phi)
    known = (1 + phi) / (1 - phi)
    tau = statistics.autocorrelation_time(samples)
    window = statistics.window(statistics.autocorrelation(samples))
    error = statistics.autocorrelation_time_error(known, ITERATIONS, WALKERS, window)
    # What lies beyond a window of 5 tau is exp(-10) of the whole for such a chain.
    assert abs(tau - known) < 4 * error


def test_the_error_is_the_spread_between_chains() -> None:
    phi, iterations, walkers = 0.8, 2000, 4
    chains = [ar1(phi, walkers, iterations, seed) for seed in range(200)]
    times = [statistics.autocorrelation_time(chain) for chain in chains]
    window = int(np.mean([statistics.window(statistics.autocorrelation(chain)) for chain in chains]))
    said = statistics.autocorrelation_time_error(float(np.mean(times)), iterations, walkers, window)
    assert np.std(times) == pytest.approx(said, rel=0.25)


def test_the_autocorrelation_is_the_sum_it_is_defined_by() -> None:
    samples = ar1(0.7, walkers=3, iterations=50)
    off = samples - samples.mean()
    direct = [(off[:, : 50 - lag] * off[:, lag:]).sum() for lag in range(50)]
    np.testing.assert_allclose(
        statistics.autocorrelation(samples), np.array(direct) / direct[0], rtol=0, atol=1e-12
    )


def test_the_effective_sample_size_is_the_samples_over_the_time() -> None:
    samples = ar1(0.9)
    assert statistics.effective_sample_size(samples) == pytest.approx(
        WALKERS * ITERATIONS / statistics.autocorrelation_time(samples)
    )


def test_an_unbiased_mean_varies_as_that_of_so_many_independent_samples() -> None:
    phi, iterations = 0.9, 2000
    chains = [ar1(phi, 4, iterations, seed) for seed in range(300)]
    size = float(np.mean([statistics.effective_sample_size(chain) for chain in chains]))
    variance = 1 / (1 - phi**2)
    assert np.var([chain.mean() for chain in chains]) == pytest.approx(variance / size, rel=0.25)


def test_walkers_that_stay_apart_are_not_many_samples() -> None:
    apart = ar1(0.0) + 10.0 * np.arange(WALKERS)[:, np.newaxis]
    assert statistics.autocorrelation_time(apart) > ITERATIONS / 50


@pytest.mark.parametrize("value", [0.0, 0.1, 1e300])
def test_what_never_changes_is_as_correlated_as_can_be(value: float) -> None:
    assert statistics.autocorrelation_time(np.full((4, 100), value)) > 100


def test_no_sample_counts_more_than_once() -> None:
    alternating = np.tile([1.0, -1.0], (4, 100))
    assert statistics.effective_sample_size(alternating) == 800


def test_scale_and_origin_do_not_matter() -> None:
    samples = ar1(0.9)
    assert statistics.autocorrelation_time(1e-6 * samples - 1e5) == pytest.approx(
        statistics.autocorrelation_time(samples), rel=1e-3
    )


def test_a_single_iteration_is_something_to_start_from() -> None:
    assert statistics.autocorrelation_time(np.array([[1.0], [2.0]])) == 1.0


@pytest.mark.parametrize("shape", [(4,), (4, 0), (0, 4), (2, 3, 4)])
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="walkers, iterations"):
        statistics.autocorrelation(np.zeros(shape))
