"""Workers are processes of their own: there, too, the bits are those of stock ESPEI in its process."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from espei_hpc.likelihood import DatabaseText, Generate, source
from support import EXAMPLE
from unit.likelihood.likelihood_cases import EXAMPLE_DATA, all_kinds, write, write_generating

STOCK = """
import json, pickle, sys
from pathlib import Path
from unit.likelihood.likelihood_cases import stock, vectors
for directory in map(Path, sys.argv[1:]):
    found = stock(json.loads((directory / "settings.json").read_text()))
    parameters = [*found.chains[:4], *vectors(found.initial, 6, seed=1)]
    (directory / "recipe").write_bytes(found.recipe.packed())
    (directory / "parameters").write_bytes(pickle.dumps(parameters))
    (directory / "stock").write_bytes(pickle.dumps([found.outcome(vector) for vector in parameters]))
    symbols = found.context["symbols_to_fit"], found.initial.tolist()
    (directory / "symbols").write_bytes(pickle.dumps(symbols))
"""

WORKER = """
import pickle, sys
from pathlib import Path
import numpy as np
from espei_hpc.likelihood import Evaluator
from unit.likelihood.likelihood_cases import random_pieces, split_outcome
for directory in map(Path, sys.argv[1:]):
    evaluator = Evaluator((directory / "recipe").read_bytes())
    random = np.random.default_rng(2)
    outcomes = [
        split_outcome(evaluator, vector, random_pieces(evaluator.description, random))
        for vector in pickle.loads((directory / "parameters").read_bytes())
    ]
    (directory / "worker").write_bytes(pickle.dumps(outcomes))
    (directory / "description").write_bytes(pickle.dumps(evaluator.description))
"""

Settings = Callable[[Path, dict[str, Any]], dict[str, Any]]
INPUTS: dict[str, tuple[Settings, dict[str, Any]]] = {
    "database from a file": (write, all_kinds()),
    "database made by ESPEI in the same run": (write_generating, EXAMPLE_DATA),
}


@pytest.fixture(scope="module")
def directories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Of each input, with what a process of stock ESPEI and one of a worker made of it."""
    found = {name: tmp_path_factory.mktemp("processes") for name in INPUTS}
    for name, (settings, datasets) in INPUTS.items():
        (found[name] / "settings.json").write_text(json.dumps(settings(found[name], datasets)))
    run(STOCK, *found.values())
    # What a process has evaluated before must make no difference: here it is the other input.
    assert run(WORKER, *reversed(found.values())) == ""
    return found


def run(program: str, *directories: Path) -> str:
    """Run a program in a process of its own, as a worker has it; return what it printed."""
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", program, *directories],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout + result.stderr


def read(path: Path) -> Any:
    return pickle.loads(path.read_bytes())


@pytest.mark.parametrize("name", INPUTS)
def test_pieces_in_another_process_are_equal_to_stock(directories: dict[str, Path], name: str) -> None:
    directory = directories[name]
    outcomes = read(directory / "stock")
    assert read(directory / "worker") == outcomes
    assert len({outcome for outcome in outcomes if isinstance(outcome, bytes)}) > 4
    description = read(directory / "description")
    assert ([*description.symbols], [*description.initial]) == read(directory / "symbols")


def test_source_is_the_file_where_there_is_one(tmp_path: Path) -> None:
    file = EXAMPLE / "cu-mg_start.tdb"
    assert source(write(tmp_path, EXAMPLE_DATA)) == DatabaseText(file.read_text(), file.name)


def test_source_has_all_settings_of_the_generation(tmp_path: Path) -> None:
    settings = write_generating(tmp_path, EXAMPLE_DATA)
    settings["generate_parameters"]["input_db"] = str(EXAMPLE / "cu-mg_start.tdb")
    found = source(settings)
    assert isinstance(found, Generate)
    assert found.start is not None
    assert found.settings["ridge_alpha"] is None
    assert found.settings["aicc_penalty_factor"] is None
    assert isinstance(found.settings["fitting_description"], str)
