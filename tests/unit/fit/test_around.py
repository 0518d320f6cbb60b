"""How the chain around the best fit is begun: the verdict on the Gaussian there, and what follows from it."""

import json
from pathlib import Path

import numpy as np
import pytest

from espei_hpc.fit.around import independent, move, verdict
from espei_hpc.rundir.run_directory import OPTIMUM
from espei_hpc.sampler.gaussian import Fitness
from espei_hpc.sampler.moves.laplace import MOSTLY, SELDOM


def left(directory: Path, **more: float) -> Path:
    """Write what a search leaves in a run directory, and return that."""
    (directory / OPTIMUM).write_text(json.dumps({"parameters": [1.0], "root": [[2.0]], **more}))
    return directory


@pytest.mark.parametrize(("shape", "share"), [(0.4, MOSTLY), (0.57, MOSTLY), (0.9, SELDOM)])
def test_gaussian_that_describes_a_fit_roughly_makes_few_of_the_proposals(shape: float, share: float) -> None:
    found = Fitness(shape, 0.5)
    assert independent(found) == share
    assert (f"{SELDOM:.0%} of the proposals" in verdict(found)) == (share == SELDOM)


def test_resumed_chain_has_the_share_with_which_it_began(tmp_path: Path) -> None:
    assert move(left(tmp_path, independent=SELDOM)).independent == SELDOM


def test_chain_begun_before_there_were_shares_goes_on(tmp_path: Path) -> None:
    found = move(left(tmp_path))
    assert found.independent == MOSTLY
    assert found.around is not None
    assert np.array_equal(found.around.mode, [1.0])
