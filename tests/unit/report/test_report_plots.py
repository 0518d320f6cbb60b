"""The plots of chains that are unlike others."""

from pathlib import Path

import numpy as np
from matplotlib.colors import same_color

from espei_hpc.report import corner_plot, samples
from unit.report.made_report import made_run


def test_distribution_of_one_symbol_is_drawn_with_the_best_value(tmp_path: Path) -> None:
    read = samples.read(made_run(tmp_path).input_file)
    (axes,) = corner_plot.corner(read, ["VV0001"], {}).axes
    best = [np.asarray(line.get_xdata())[0] for line in axes.lines if same_color(line.get_color(), "C3")]
    assert best == [read.best[1]]
