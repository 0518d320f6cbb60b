"""A plan starts where ESPEI would, and leaves nothing behind."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import yaml
from espei.optimizers.opt_mcmc import EmceeOptimizer

from espei_hpc.fit.starting import Starting, starting
from espei_hpc.forecast.measure import measure
from espei_hpc.forecast.tables import plan
from espei_hpc.forecast.words import lines
from espei_hpc.inputs import Problem, check
from espei_hpc.likelihood import combine
from support import EXAMPLE


class Prepared(NamedTuple):
    problem: Problem
    start: Starting
    directory: Path


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    directory = tmp_path_factory.mktemp("plan") / "cu-mg"
    shutil.copytree(EXAMPLE, directory)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        problem = check("mcmc.yaml")
        return Prepared(problem, starting(problem), directory)


def test_it_starts_from_espeis_own_walkers(example: Prepared) -> None:
    start = example.start
    # chains_per_parameter and chain_std_deviation as in the example's input.
    stock = EmceeOptimizer.initialize_new_chains(start.initial, 2, 0.05, True)
    assert start.walkers.shape == (12, 6)
    assert np.array_equal(start.walkers, stock)


def test_its_likelihood_is_that_of_the_fit(example: Prepared) -> None:
    evaluated = example.start.evaluator(example.start.initial)
    assert np.isfinite(combine(example.start.evaluator.description, [evaluated]))
    assert example.start.evaluator.description.symbols == tuple(f"VV{number:04}" for number in range(6))


def test_nothing_is_written(example: Prepared) -> None:
    left = {path.relative_to(example.directory) for path in example.directory.rglob("*")}
    assert left == {path.relative_to(EXAMPLE) for path in EXAMPLE.rglob("*")}


def test_generated_parameters_are_not_written_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "cu-mg")
    monkeypatch.chdir(tmp_path / "cu-mg")
    settings = yaml.safe_load(Path("mcmc.yaml").read_text())
    del settings["mcmc"]["input_db"]
    settings["generate_parameters"] = yaml.safe_load(Path("generate.yaml").read_text())["generate_parameters"]
    Path("both.yaml").write_text(yaml.safe_dump(settings))
    start = starting(check("both.yaml"))
    assert start.walkers.shape == (2 * len(start.initial), len(start.initial))
    assert not Path("cu-mg_fitted.tdb").exists()


def test_a_real_likelihood_makes_a_plan(example: Prepared) -> None:
    problem, start, _ = example
    measured = measure(start.evaluator, start.initial, start.walkers)
    assert len(measured.units) == len(start.evaluator.description.units)
    assert measured.walkers >= 3
    # Ten times as long, or the cost of a call would count beside an evaluation of 3 ms.
    units = {unit: 10 * seconds for unit, seconds in measured.units.items()}
    measured = replace(measured, evaluation=10 * measured.evaluation, units=units)
    told = plan(len(problem.symbols), len(start.walkers), problem.iterations, measured, 0.1)
    # One worker does 12 evaluations for an iteration.
    assert told.rows[0].seconds_per_iteration == pytest.approx(12 * measured.evaluation, rel=0.02)
    assert lines(told)[0] == "6 symbols, 12 walkers, 20 iterations"
