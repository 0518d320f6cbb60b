"""What a report says about the two kinds of proposals of the sampler ``laplace``."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest

from espei_hpc.report import samples
from espei_hpc.report.statistics import Statistics, statistics
from espei_hpc.report.verdict import Convergence, verdict
from espei_hpc.sampler import FloatArray, RandomState
from espei_hpc.sampler.gaussian import Around
from espei_hpc.sampler.moves import LAPLACE, Laplace
from espei_hpc.sampler.moves.laplace import drawn_around
from unit.report.made_report import made_run
from unit.sampler.serial import chain

WALKERS, PARAMETERS, ITERATIONS, SEED = 10, 2, 2000, 0
START = np.random.default_rng(0).normal(size=(WALKERS, PARAMETERS))


@pytest.fixture(scope="module")
def positions() -> FloatArray:
    """A chain of the standard normal distribution."""
    move = Laplace(Around(np.zeros(PARAMETERS), np.eye(PARAMETERS)))
    return chain(lambda position: float(-0.5 * position @ position), START, move, ITERATIONS, SEED)


def of(place: Path, positions: FloatArray) -> Statistics:
    made = made_run(place, positions, sampler=LAPLACE, start=START)
    return statistics(samples.read(made.input_file))


def test_acceptance_of_each_kind_of_proposal_is_told(tmp_path: Path, positions: FloatArray) -> None:
    found = of(tmp_path, positions)
    assert found.moves is not None
    assert 0.85 < found.moves.around < 1
    assert 0.1 < found.moves.differences < 0.6
    text = " ".join(verdict(found, LAPLACE).reasons)
    assert f"Accepted were {found.moves.around:.0%} of the proposals around the best fit" in text


def test_kinds_of_proposals_that_sample_the_same_agree(tmp_path: Path, positions: FloatArray) -> None:
    found = of(tmp_path, positions)
    assert found.moves is not None
    assert found.moves.apart < 4
    said = verdict(found, LAPLACE)
    assert said.state is Convergence.CONVERGED
    assert any("kind of proposal agree" in reason for reason in said.reasons)


def test_chain_whose_kinds_of_proposals_differ_has_not_converged(
    tmp_path: Path, positions: FloatArray
) -> None:
    random = cast(RandomState, np.random.RandomState(SEED).get_state())
    around = drawn_around(random, (WALKERS // 2, PARAMETERS), ITERATIONS)
    found = of(tmp_path, positions + 0.5 * around[:, :, np.newaxis])
    assert found.moves is not None
    assert found.moves.apart > 4
    said = verdict(found, LAPLACE)
    assert said.state is Convergence.NOT_YET
    assert any("use --sampler de" in reason for reason in said.reasons)


def test_other_samplers_have_one_kind_of_proposal(tmp_path: Path) -> None:
    assert statistics(samples.read(made_run(tmp_path).input_file)).moves is None
