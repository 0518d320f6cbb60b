"""What the example promises about itself."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from espei.datasets import load_datasets
from espei.error_functions.context import setup_context
from espei.utils import database_symbols_to_fit, unpack_piecewise
from pycalphad import Database

from fits import copy_example, stock_example
from support import EXAMPLE, STOCK, Commands

DATASETS = sorted(EXAMPLE.glob("datasets/*.json"))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    copy_example(tmp_path / "cu-mg")
    return tmp_path / "cu-mg"


def test_datasets_pass_espeis_own_check(commands: Commands, copy: Path) -> None:
    result = Commands(copy, commands.tag).run("espei", "--check-datasets", "datasets", env=STOCK)
    assert result.code == 0, result.output


def test_input_passes_our_check(commands: Commands, copy: Path) -> None:
    result = Commands(copy, commands.tag).run("espei-hpc", "check", "--in", "mcmc.yaml")
    assert result.code == 0, result.output


def test_starting_database_is_what_espei_generates_from_the_datasets(commands: Commands, copy: Path) -> None:
    (copy / "cu-mg_start.tdb").unlink()
    result = Commands(copy, commands.tag).run("espei", "--in", "generate.yaml", env=STOCK)
    assert result.code == 0, result.output
    assert Database(str(copy / "cu-mg_start.tdb")) == Database(str(EXAMPLE / "cu-mg_start.tdb"))


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda path: path.stem)
def test_dataset_alone_moves_the_likelihood(dataset: Path) -> None:
    database = Database(str(EXAMPLE / "cu-mg_start.tdb"))
    start = np.array(list(_parameters(EXAMPLE / "cu-mg_start.tdb").values()))
    models = json.loads((EXAMPLE / "phase_models.json").read_text())
    context = setup_context(database, load_datasets([str(dataset)]), phase_models=models)

    def likelihood(parameters: np.ndarray) -> float:
        return sum(float(residual.get_likelihood(parameters)) for residual in context["residual_objs"])

    assert np.isfinite(likelihood(start))
    assert likelihood(start) != likelihood(1.05 * start)


@pytest.fixture
def fitted(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the example after stock ESPEI has fitted it."""
    return Path(shutil.copytree(stock_example(tmp_path_factory), tmp_path / "fitted"))


def test_readme_shows_what_compare_prints_after_the_fit(commands: Commands, fitted: Path) -> None:
    shown = re.search(r"^```text\n(.*?)^```", _readme(), re.DOTALL | re.MULTILINE)
    assert shown is not None
    compared = Commands(fitted, commands.tag).run("python", "compare.py", env=STOCK)
    assert compared.code == 0, compared.output
    assert compared.output.splitlines() == shown.group(1).splitlines()


def test_readme_shows_the_parameters_of_the_fit(fitted: Path) -> None:
    shown = re.findall(r"^\| (VV\d+) \|.*?\| (-?[\d.]+) \| (-?[\d.]+) \|", _readme(), re.MULTILINE)
    start, best = (_parameters(fitted / name) for name in ("cu-mg_start.tdb", "cu-mg_fitted.tdb"))
    assert [name for name, *_ in shown] == list(start)
    for name, before, after in shown:
        decimals = len(before.partition(".")[2])
        assert (before, after) == (f"{start[name]:.{decimals}f}", f"{best[name]:.{decimals}f}")


def test_every_walker_has_a_finite_log_probability_from_the_first_iteration(fitted: Path) -> None:
    assert np.isfinite(np.load(fitted / "lnprob.npy")).all()


def _readme() -> str:
    return (EXAMPLE / "README.md").read_text()


def _parameters(database: Path) -> dict[str, float]:
    parsed = Database(str(database))
    names = database_symbols_to_fit(parsed)
    return {name: float(unpack_piecewise(parsed.symbols[name])) for name in names}
