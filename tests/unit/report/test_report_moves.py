"""What a report says about the two kinds of proposals of the sampler ``laplace``."""

import json
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from espei_hpc.report import samples
from espei_hpc.report.statistics import Statistics, statistics
from espei_hpc.report.verdict import Convergence, verdict
from espei_hpc.rundir import best_fit
from espei_hpc.rundir.best_fit import KeptDensity
from espei_hpc.rundir.run_directory import OPTIMUM
from espei_hpc.sampler import FloatArray, RandomState
from espei_hpc.sampler.gaussian import Around
from espei_hpc.sampler.moves import LAPLACE, STRETCH, Laplace
from espei_hpc.sampler.moves.laplace import MOSTLY, drawn_around
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
    normal = {"parameters": [0.0] * PARAMETERS, "root": np.eye(PARAMETERS).tolist()}
    (made.directory / OPTIMUM).write_text(json.dumps(normal))
    best_fit.keep(made.directory, KeptDensity(Around(np.zeros(PARAMETERS), np.eye(PARAMETERS)), MOSTLY))
    return statistics(samples.read(made.input_file))


def test_acceptance_of_each_kind_of_proposal_is_told(tmp_path: Path, positions: FloatArray) -> None:
    found = of(tmp_path, positions)
    assert found.moves is not None
    assert 0.85 < found.moves.around < 1
    assert 0.1 < found.moves.differences < 0.6
    text = " ".join(verdict(found, LAPLACE).reasons)
    assert f"Accepted were {found.moves.around:.0%} of the proposals from the Gaussian" in text


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


def test_chain_whose_proposals_are_not_known_is_not_compared(tmp_path: Path, positions: FloatArray) -> None:
    made = made_run(tmp_path, positions, sampler=LAPLACE, start=START)
    assert statistics(samples.read(made.input_file)).moves is None


def test_short_chain_of_many_walkers_that_began_as_a_sample_has_converged(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    independent = random.normal(size=(60, 45, PARAMETERS))
    for sampler, state in ((LAPLACE, Convergence.CONVERGED), (STRETCH, Convergence.NOT_YET)):
        (place := tmp_path / sampler).mkdir()
        said = verdict(statistics(samples.read(made_run(place, independent, sampler=sampler).input_file)))
        assert said.state is state, said


def test_half_of_the_walkers_elsewhere_is_no_converged_chain(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    apart = random.normal(size=(60, 400, PARAMETERS)) + np.repeat([0.0, 1.0], 30)[:, np.newaxis, np.newaxis]
    said = verdict(statistics(samples.read(made_run(tmp_path, apart, sampler=LAPLACE).input_file)), LAPLACE)
    assert said.state is not Convergence.CONVERGED
    assert "R-hat over the two halves of the walkers is 1." in " ".join(said.reasons)


def test_other_samplers_have_one_kind_of_proposal(tmp_path: Path) -> None:
    assert statistics(samples.read(made_run(tmp_path).input_file)).moves is None
