import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

# ESPEI imports emcee 2, which imports mpi4py.MPI: that must not start MPI.
os.environ.setdefault("MPI4PY_RC_INITIALIZE", "0")

from espei_hpc.likelihood import Evaluator
from unit.likelihood.likelihood_cases import ENTHALPIES, EXAMPLE_DATA, Stock, all_kinds, stock, write
from unit.likelihood.systems import System


@pytest.fixture(scope="session")
def stock_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[System], Stock]:
    """Stock ESPEI with a system, made once."""
    return cache(lambda system: stock(system.write(tmp_path_factory.mktemp(system.name))))


@pytest.fixture(scope="session")
def every_kind(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """Stock ESPEI with data of every kind."""
    return stock(write(tmp_path_factory.mktemp("every-kind"), all_kinds()))


@pytest.fixture(scope="session")
def every_kind_evaluator(every_kind: Stock) -> Evaluator:
    return Evaluator(every_kind.recipe.packed())


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """Stock ESPEI with all data of the example."""
    return stock(write(tmp_path_factory.mktemp("example"), EXAMPLE_DATA))


@pytest.fixture
def enthalpies(tmp_path: Path) -> Stock:
    """Stock ESPEI with the example's enthalpies alone: milliseconds an evaluation."""
    return stock(write(tmp_path, ENTHALPIES))
