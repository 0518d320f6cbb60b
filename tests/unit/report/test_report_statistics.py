"""Statistics of chains whose distribution and autocorrelation are known."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from espei_hpc.report import samples
from espei_hpc.report.statistics import Statistics, statistics
from unit.report.made_report import made_run


def ar1(phi: float, walkers: int, iterations: int) -> NDArray[np.float64]:
    """Make walkers of x' = phi x + noise, with variance 1 and autocorrelation time (1 + phi) / (1 - phi)."""
    noise = np.random.default_rng(1).normal(size=(walkers, iterations)) * np.sqrt(1 - phi**2)
    chain: NDArray[np.float64] = np.empty_like(noise)
    chain[:, 0] = noise[:, 0] / np.sqrt(1 - phi**2)
    for index in range(1, iterations):
        chain[:, index] = phi * chain[:, index - 1] + noise[:, index]
    return chain


def of(place: Path, *quantities: NDArray[np.float64]) -> Statistics:
    names = [f"VV{index:04d}" for index in range(len(quantities))]
    return statistics(samples.read(made_run(place, np.stack(quantities, axis=2), names).input_file))


def test_median_and_interval_are_those_of_the_distribution(tmp_path: Path) -> None:
    (one,) = of(tmp_path, 5 + 2 * ar1(0.5, 20, 8000)).parameters
    assert (one.low, one.median, one.high) == pytest.approx((5 - 3.29, 5, 5 + 3.29), abs=0.1)


def test_the_autocorrelation_time_is_within_four_standard_errors_of_the_known_one(tmp_path: Path) -> None:
    (one,) = of(tmp_path, ar1(0.9, 20, 20_000)).parameters
    assert abs(one.autocorrelation - 19) < 4 * one.autocorrelation_error
    assert one.effective == pytest.approx(20 * 10_000 / one.autocorrelation)


def test_the_first_half_does_not_count(tmp_path: Path) -> None:
    chain = ar1(0.5, 10, 2000)
    chain[:, :1000] += 100
    (one,) = of(tmp_path, chain).parameters
    assert one.high < 5


def test_rhat_is_one_where_walkers_sample_the_same(tmp_path: Path) -> None:
    assert of(tmp_path, ar1(0.5, 10, 8000)).worst_rhat == pytest.approx(1, abs=0.01)


def test_rhat_tells_walkers_that_are_apart(tmp_path: Path) -> None:
    apart = ar1(0.5, 10, 2000) + 3 * (np.arange(10) % 2)[:, None]
    assert of(tmp_path, apart).worst_rhat > 1.5


def test_rhat_tells_a_drift_that_all_walkers_share(tmp_path: Path) -> None:
    drifting = ar1(0.5, 10, 2000) + np.linspace(0, 10, 2000)
    assert of(tmp_path, drifting).worst_rhat > 1.2


def test_the_slowest_symbol_is_found(tmp_path: Path) -> None:
    slowest = of(tmp_path, ar1(0.2, 10, 4000), ar1(0.9, 10, 4000), ar1(0.5, 10, 4000)).slowest
    assert slowest is not None
    assert slowest.name == "VV0001"


def test_a_symbol_that_stays_where_it_was_has_no_autocorrelation_time_and_is_not_the_slowest(
    tmp_path: Path,
) -> None:
    found = of(tmp_path, np.zeros((10, 400)), ar1(0.5, 10, 400))
    assert not found.parameters[0].moves
    assert found.slowest is found.parameters[1]


def test_acceptance_is_each_walkers_own(tmp_path: Path) -> None:
    chain = ar1(0.5, 4, 100)
    # This walker stays every second time.
    chain[0, 1::2] = chain[0, ::2]
    assert of(tmp_path, chain).acceptance == pytest.approx([0.5, 1, 1, 1])


def ridge() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Make two quantities of which only the sum is slow."""
    slow, noise = ar1(0.95, 20, 8000), 3 * np.random.default_rng(2).normal(size=(20, 8000))
    return slow + noise, slow - noise


def test_combination_that_is_slower_than_every_symbol_is_named(tmp_path: Path) -> None:
    found = of(tmp_path, *ridge())
    assert found.slowest is not None
    assert found.slowest_of_all is not None
    assert found.slowest_of_all is found.slowest_combination
    assert found.slowest_of_all.name == "VV0000 + VV0001"
    assert found.slowest_of_all.autocorrelation == pytest.approx(39, rel=0.3)
    assert found.slowest.autocorrelation < 10


def test_walkers_apart_in_a_combination_only_are_told_by_rhat(tmp_path: Path) -> None:
    apart, noise = 1.0 * (np.arange(20) % 2)[:, None], 10 * ar1(0.0, 20, 8000)
    found = of(tmp_path, apart + noise + ar1(0, 20, 8000) / 9, apart - noise)
    assert max(one.rhat for one in found.parameters) < 1.01
    assert found.worst_rhat > 1.1


def test_single_symbol_has_no_combination(tmp_path: Path) -> None:
    assert of(tmp_path, ar1(0.5, 10, 400)).slowest_combination is None
