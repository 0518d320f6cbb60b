"""A fit whose input names Python code of the user's."""

import json
from pathlib import Path

import pytest

from fits import Chain, run_stock, stock_fit, write_fit
from made_once import made_once
from support import Commands, running_cluster

# An energy in the database: any other term is in the reference of HM_MIX too, and cancels.
MODEL = """
from pycalphad import Model


class Scaled(Model):
    def excess_mixing_energy(self, database):
        return 1.125 * super().excess_mixing_energy(database)
"""


def have_a_model(fit: Path, code: Path) -> None:
    """Give the liquid of a small fit a model of the user's, whose module is in the directory ``code``."""
    models = fit.with_name("phase_models.json")
    content = json.loads(models.read_text())
    content["phases"]["LIQUID"]["model"] = "models_of_ada.Scaled"
    models.write_text(json.dumps(content))
    (code / "models_of_ada.py").write_text(MODEL)


def write_fit_with_code(directory: Path) -> Path:
    """Write a small fit whose liquid has a model of the user's, in the directory ``code`` beside it."""
    path = write_fit(directory, iterations=5)
    (directory / "code").mkdir()
    have_a_model(path, directory / "code")
    return path


@pytest.fixture
def fit(tmp_path: Path) -> Path:
    return write_fit_with_code(tmp_path)


@pytest.fixture
def stock(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    def run(directory: Path) -> None:
        run_stock(directory, write_fit_with_code(directory), PYTHONPATH=str(directory / "code"))

    return Chain.load(made_once(tmp_path_factory, "stock-user-code", run))


@pytest.fixture
def stock_without_code(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return Chain.load(stock_fit(tmp_path_factory, iterations=5))


@pytest.mark.parametrize("engine", ["graph", pytest.param("espei", marks=pytest.mark.long)])
def test_fit_with_a_model_of_the_users_is_stocks_with_its_pythonpath(
    engine: str, commands: Commands, fit: Path, stock: Chain, stock_without_code: Chain
) -> None:
    result = commands.run("espei-mpi", fit, "-n", "3", "--user-code", "code", "--engine", engine)
    assert result.code == 0, result.output
    assert Chain.load(fit.parent).equals(stock)
    assert not stock.equals(stock_without_code)


@pytest.mark.long
def test_workers_of_this_machine_have_it_too(commands: Commands, fit: Path, stock: Chain) -> None:
    result = commands.run("espei-hpc", "fit", fit, "--local", "-w", "1", "--user-code", "code")
    assert result.code == 0, result.output
    assert Chain.load(fit.parent).equals(stock)


@pytest.mark.long
def test_workers_of_a_cluster_that_was_started_with_it_have_it(
    commands: Commands, fit: Path, stock: Chain
) -> None:
    with running_cluster(commands, "-n", "2", "--user-code", "code"):
        result = commands.run("run-fit", fit, "--scheduler-file", "my_scheduler.json", "--user-code", "code")
    assert result.code == 0, result.output
    assert Chain.load(fit.parent).equals(stock)


def test_changed_code_is_refused_on_resume_by_name(commands: Commands, fit: Path) -> None:
    begin = ("espei-mpi", fit, "-n", "2", "--user-code", "code")
    assert commands.run(*begin).code == 0
    report = commands.run("espei-hpc", "report", fit)
    assert report.code == 0, report.output
    assert "models_of_ada" not in report.output
    module = fit.parent / "code" / "models_of_ada.py"
    module.write_text(module.read_text().replace("1.125", "1.25"))
    fit.write_text(fit.read_text().replace("iterations: 5\n", "iterations: 9\n"))
    resumed = commands.run(*begin)
    assert resumed.code == 65, resumed.output
    assert "user code models_of_ada.py has changed" in resumed.output


@pytest.mark.parametrize("command", ["check", "plan"])
def test_check_and_plan_find_it(command: str, commands: Commands, fit: Path) -> None:
    result = commands.run("espei-hpc", command, fit, "--user-code", "code")
    assert result.code == 0, result.output


def test_without_it_the_message_names_the_option(commands: Commands, fit: Path) -> None:
    result = commands.run("espei-hpc", "check", fit, env={"PYTHONPATH": "code"})
    assert result.code == 65, result.output
    assert "phases.LIQUID.model" in result.output
    assert "name that with --user-code" in result.output
