"""Walkers that stay at minus infinity are no samples, and break neither numbers nor plots."""

from pathlib import Path

import numpy as np
import pytest

from espei_hpc.report import plots, samples, verdict, write
from espei_hpc.report.statistics import statistics
from unit.report.made_report import made_run


def chain(place: Path, *impossible: int) -> Path:
    """A run whose walkers of these numbers never move, at minus infinity."""
    positions = np.random.default_rng(0).normal(size=(6, 40, 2))
    positions[list(impossible)] = 1000.0
    made = made_run(place, positions, floor=-1e5)
    return made.input_file


def test_walkers_at_minus_infinity_are_left_out_of_every_number(tmp_path: Path) -> None:
    read = samples.read(chain(tmp_path, 1, 4))
    assert np.isneginf(read.log_probabilities[[1, 4]]).all()

    found = statistics(read)

    assert (found.walkers, found.impossible, found.used) == (6, 2, 4)
    for one in (*found.parameters, found.log_probability):
        assert np.isfinite([one.low, one.median, one.high, one.best, one.autocorrelation]).all()
    for one in found.parameters:
        assert -5 < one.low < one.high < 5
    assert "2 of 6 walkers are left out" in " ".join(verdict.verdict(found).reasons)


def test_walker_that_leaves_minus_infinity_in_the_first_half_counts(tmp_path: Path) -> None:
    positions = np.random.default_rng(0).normal(size=(6, 40, 2))
    positions[1, :10] = 1000.0
    made = made_run(tmp_path, positions, floor=-1e5)

    assert statistics(samples.read(made.input_file)).impossible == 0


@pytest.mark.parametrize("impossible", [(), (1, 4), (0, 1, 2, 3, 4, 5)])
def test_the_plots_and_the_page_bear_them(tmp_path: Path, impossible: tuple[int, ...]) -> None:
    read = samples.read(chain(tmp_path, *impossible))
    with plots.style():
        figure = plots.log_probabilities(read)
        assert plots.png(figure).startswith(b"\x89PNG")
    low, high = figure.axes[1].get_ylim()
    assert np.isfinite([low, high]).all()
    assert low < high

    made = write.write(read, tmp_path / "report", [], lambda _: None)

    assert made.page.read_text().count("<img") >= 3
    assert ("stuck" in str(made.verdict.state)) == (len(impossible) == 6)
