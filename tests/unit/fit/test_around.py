"""How the chain around the best fit is begun: a density that is learned, the verdict, and what follows."""

import json
from pathlib import Path

import numpy as np
import pytest

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.fit.around import ENOUGH, GOOD, Described, independent, learned, move, verdict
from espei_hpc.rundir import best_fit
from espei_hpc.rundir.best_fit import KeptDensity
from espei_hpc.rundir.run_directory import OPTIMUM
from espei_hpc.sampler import FloatArray
from espei_hpc.sampler.gaussian import Around
from espei_hpc.sampler.learning import DRAWS, ROUNDS, Learning, effective
from espei_hpc.sampler.moves.laplace import EVENLY, MOSTLY

SIZE = 4


def found_from(start: Around, spread: FloatArray, seed: int = 1) -> tuple[Learning, Described, list[str]]:
    """Learn to describe a Gaussian around 0 with these standard deviations."""
    said: list[str] = []

    def evaluated(points: FloatArray) -> FloatArray:
        logarithms: FloatArray = -0.5 * ((points / spread) ** 2).sum(axis=1)
        return logarithms

    return *learned(start, evaluated, np.random.RandomState(seed), DRAWS, said.append), said


def test_density_that_is_right_from_the_start_stays_and_takes_one_round() -> None:
    start = Around(np.zeros(SIZE), np.eye(SIZE))
    learning, found, said = found_from(start, np.ones(SIZE))
    assert learning.density is start
    assert len(learning.points) == DRAWS
    assert found.worth > 0.8
    assert said == []


def test_density_that_is_too_narrow_and_beside_is_learned_in_a_few_rounds() -> None:
    spread = np.array([1.0, 1.0, 2.0, 5.0])
    start = Around(np.array([0.0, 0.5, 0.0, 4.0]), np.eye(SIZE))
    learning, found, said = found_from(start, spread)
    assert found.worth >= ENOUGH
    assert found.shape < 0.6
    assert DRAWS < len(learning.points) < ROUNDS * DRAWS
    assert f"{DRAWS} points around the best fit are worth " in said[0]
    covariance = learning.density.root @ learning.density.root.T
    assert np.sqrt(np.diag(covariance)) == pytest.approx(spread, rel=0.35)
    assert np.all(np.abs(learning.density.mode) < spread)


def test_first_density_that_describes_a_fit_only_roughly_is_not_the_last() -> None:
    # Draws that are too narrow do not reach the tails that they lack, and seem to be worth much.
    narrow = Around(np.zeros(SIZE), np.eye(SIZE))
    spread = np.full(SIZE, 1.25)
    first = Learning(narrow)
    points = narrow.draw(np.random.RandomState(1), DRAWS)
    first.add(points, -0.5 * ((points / spread) ** 2).sum(axis=1))
    assert ENOUGH < effective(first.weights) / DRAWS < GOOD
    learning, found, _ = found_from(narrow, spread)
    assert len(learning.points) > DRAWS
    assert found.worth > GOOD


def test_distribution_that_is_no_gaussian_is_described_roughly_at_most() -> None:
    def banana(points: FloatArray) -> FloatArray:
        x, y = points.T
        logarithms: FloatArray = -0.5 * x**2 / 9 - 50 * (y - x**2) ** 2
        return logarithms

    start = Around(np.zeros(2), np.diag([3.0, 0.1]))
    _, found = learned(start, banana, np.random.RandomState(0), DRAWS, lambda line: None)
    assert found.worth < ENOUGH
    assert independent(found) == EVENLY


def test_density_without_a_possible_draw_describes_nothing() -> None:
    def nothing(points: FloatArray) -> FloatArray:
        return np.full(len(points), -np.inf)

    start = Around(np.zeros(2), np.eye(2))
    learning, found = learned(start, nothing, np.random.RandomState(0), 20, lambda line: None)
    assert learning.density is start
    with pytest.raises(Refusal, match="no Gaussian describes this fit"):
        verdict(found)


@pytest.mark.parametrize(("worth", "share"), [(GOOD, MOSTLY), (ENOUGH, EVENLY), (0.4, EVENLY)])
def test_gaussian_that_describes_a_fit_roughly_makes_half_of_the_proposals(
    worth: float, share: float
) -> None:
    found = Described(worth, 0.4, 0.85)
    assert independent(found) == share
    assert (f"{EVENLY:.0%} of the proposals" in verdict(found)) == (share == EVENLY)
    assert f"a draw is worth {worth:.2f} samples, Pareto k 0.4, 85% of its" in verdict(found)


def test_fit_whose_draws_are_worth_much_is_not_refused_for_its_k() -> None:
    assert "a Gaussian describes this fit (" in verdict(Described(GOOD, 1.2, 0.8))
    assert "a Gaussian describes this fit roughly (" in verdict(Described(ENOUGH, 1.2, 0.8))


def test_fit_that_no_gaussian_describes_is_refused_naming_other_samplers() -> None:
    with pytest.raises(Refusal, match=r"no Gaussian describes this fit \(.*Pareto k 6.9") as refused:
        verdict(Described(0.01, 6.9, 0.5))
    assert refused.value.code == ExitCode.BAD_INPUT
    assert "use --sampler de, or stretch" in str(refused.value)


def test_resumed_chain_draws_from_the_density_with_which_it_began(tmp_path: Path) -> None:
    (tmp_path / OPTIMUM).write_text(json.dumps({"parameters": [1.0], "root": [[2.0]]}))
    best_fit.keep(tmp_path, KeptDensity(Around(np.array([3.0]), np.array([[4.0]])), EVENLY))
    found = move(tmp_path)
    assert found.independent == EVENLY
    assert found.around is not None
    assert (float(found.around.mode[0]), float(found.around.root[0, 0])) == (3.0, 4.0)
    best = best_fit.best(tmp_path)
    assert best is not None
    assert (float(best.mode[0]), float(best.root[0, 0])) == (1.0, 2.0)


def test_chain_without_its_density_is_refused(tmp_path: Path) -> None:
    (tmp_path / OPTIMUM).write_text(json.dumps({"parameters": [1.0], "root": [[2.0]]}))
    with pytest.raises(Refusal, match="is missing or damaged, and the chain was begun with it"):
        move(tmp_path)
