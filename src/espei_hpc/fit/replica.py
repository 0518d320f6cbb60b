"""The likelihood, built anew in every worker from the input rather than sent to it.

ESPEI sends its context, which holds symengine expressions. Each time such an
expression is pickled, the terms of its sums change their order, and with it the
last digits of a log-probability: the values that come from a worker then depend
on how often the context was handed on before it got there. Built from the same
input by ESPEI's own code, in a process with the same hash seed, the context is
the one that ESPEI has when it runs alone, and so are all digits.
"""

import functools
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from espei.error_functions.context import setup_context
from espei.optimizers.opt_mcmc import EmceeOptimizer
from espei.utils import PickleableTinyDB
from pycalphad import Database
from tinydb.storages import MemoryStorage


@dataclass(frozen=True)
class Recipe:
    """What ESPEI's context is made of, all of it plain data.

    Attributes:
        database: text of the database file.
        database_format: its format, as pycalphad names it.
        phase_models: content of the phase models file.
        datasets: the datasets that are fitted to, in ESPEI's order.
        symbols: the symbols to fit.
        data_weights: weight of each kind of data.
    """

    database: str
    database_format: str
    phase_models: dict[str, Any]
    datasets: list[dict[str, Any]]
    symbols: list[str]
    data_weights: dict[str, float] | None

    def packed(self) -> bytes:
        """Pack it into bytes, which no number of hand-overs changes."""
        return pickle.dumps(asdict(self))


def database_text(path: Path) -> tuple[str, str]:
    """Return text and format of a database file, as ``pycalphad.Database`` reads it."""
    return path.read_text(), path.suffix[1:].lower() or "tdb"


def log_probability(parameters: npt.NDArray[np.float64], recipe: bytes, priors: list[Any]) -> float:
    """Return what ESPEI's ``EmceeOptimizer.predict`` does; runs in a worker."""
    return EmceeOptimizer.predict(parameters, **_context(recipe), prior_rvs=priors)  # type: ignore[no-any-return]


@functools.lru_cache(maxsize=1)
def _context(packed: bytes) -> dict[str, Any]:
    """Go the way of ``run_espei``, copies included: they too decide the order of terms."""
    recipe = Recipe(**pickle.loads(packed))  # noqa: S301 (our own, over our own cluster)
    database = Database.from_string(recipe.database, fmt=recipe.database_format)
    optimizer = EmceeOptimizer(database, phase_models=recipe.phase_models)
    datasets = PickleableTinyDB(storage=MemoryStorage)
    datasets.insert_multiple(recipe.datasets)
    context: dict[str, Any] = setup_context(
        optimizer.dbf,
        datasets,
        recipe.symbols,
        data_weights=recipe.data_weights,
        phase_models=recipe.phase_models,
    )
    return context
