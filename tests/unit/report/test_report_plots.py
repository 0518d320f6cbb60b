"""The plots of chains that are unlike others."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import same_color

from espei_hpc.report import corner_plot, plots, samples
from espei_hpc.sampler.moves import LAPLACE, STRETCH
from unit.report.made_report import made_run


def test_distribution_of_one_symbol_is_drawn_with_the_best_value(tmp_path: Path) -> None:
    read = samples.read(made_run(tmp_path).input_file)
    (axes,) = corner_plot.corner(read, ["VV0001"], {}).axes
    best = [np.asarray(line.get_xdata())[0] for line in axes.lines if same_color(line.get_color(), "C3")]
    assert best == [read.best[1]]


@pytest.mark.parametrize(("sampler", "first"), [(STRETCH, 20), (LAPLACE, 4)])
def test_iterations_that_do_not_count_are_shaded_and_not_in_the_second_plot(
    tmp_path: Path, sampler: str, first: int
) -> None:
    whole, counted = plots.log_probabilities(
        samples.read(made_run(tmp_path, sampler=sampler).input_file)
    ).axes
    for axes in (whole, counted):
        (shaded,) = axes.patches
        assert shaded.get_extents().transformed(axes.transData.inverted()).x1 == pytest.approx(first)
    assert counted.get_xlim() == (first, 40)
