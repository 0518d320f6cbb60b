"""A best fit where a residual jumps: that is said, and a chain and another search lead higher."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from espei_hpc.rundir.run_directory import OPTIMUM
from fits import Chain
from support import Commands
from unit.likelihood.systems.cr_fe_nb import CR_FE_NB

LOCAL = ("--local", "-w", "1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The input of a fit whose search ends at an edge, and whose chain takes half a minute."""
    settings = CR_FE_NB.write(tmp_path)
    settings["mcmc"]["iterations"] = 300
    settings["output"] = {"output_db": "fitted.tdb"}
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def test_laplace_is_refused_there_before_it_samples_with_what_to_do(commands: Commands, path: Path) -> None:
    result = commands.run("espei-hpc", "fit", "--in", path, *LOCAL, "--sampler", "laplace")
    assert result.code == 65, result.output
    assert "search: the best fit lies at an edge, where a residual jumps; without the jump" in result.output
    assert "use --sampler de, or stretch, the default" in result.output
    assert "points around the best fit" not in result.output


@pytest.mark.long
def test_search_from_the_best_of_a_chain_leads_higher_as_its_line_says(
    commands: Commands, path: Path
) -> None:
    def searched(*words: str) -> float:
        result = commands.run("espei-hpc", "optimize", path, "--workers", "1", *words)
        assert result.code == 0, result.output
        assert "at an edge: a residual jumps at the best fit" in result.output
        found = json.loads((path.with_suffix(".optimum.run") / OPTIMUM).read_text())
        return float(found["log_probability"])

    first = searched()
    chain = commands.run("espei-hpc", "fit", "--in", path, *LOCAL, "--sampler", "de")
    assert chain.code == 0, chain.output
    highest = np.max(Chain.load(path.parent).lnprob)
    assert highest > first
    assert searched("--force-new", "--database", "fitted.tdb") >= highest
