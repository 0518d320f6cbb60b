"""The recipe of a likelihood: plain data from which every worker can build it.

ESPEI sends its context, which has symengine expressions. Each time such an
expression is pickled, the terms of its sums change their order, and with it the
last digits of a log-probability: the results of a worker then depend on how often
the context was pickled on its way. If instead ESPEI's own code builds the context
from the same input, in a process with the same hash seed, it is identical to that
of ESPEI running alone, to the last digit.
"""

import io
import pickle
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, Self

from pycalphad import Database
from tinydb.storages import MemoryStorage

from espei_hpc.likelihood.upstream import espei as upstream


class _NamedText(io.StringIO):
    """A text that pycalphad reads as a file of this name, from which it takes the format."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self._name = name

    def __fspath__(self) -> str:
        return self._name


@dataclass(frozen=True)
class DatabaseText:
    """A database file.

    Attributes:
        text: its content.
        name: its name.
    """

    text: str
    name: str

    def read(self) -> Any:
        """Return pycalphad's ``Database``, read as it reads the file of this name."""
        return Database(_NamedText(self.text, self.name))


@dataclass(frozen=True)
class Generate:
    """A database that ESPEI generates from the datasets, in memory only.

    Attributes:
        settings: ESPEI's section ``generate_parameters`` with all defaults, its
            ``fitting_description`` by dotted name.
        start: the database to start from.
    """

    settings: Mapping[str, Any]
    start: DatabaseText | None

    def make(self, phase_models: dict[str, Any], datasets: Any) -> Any:
        """Return pycalphad's ``Database``, generated as in ``run_espei``; takes seconds."""
        return upstream.generate_parameters(
            phase_models,
            datasets,
            self.settings["ref_state"],
            self.settings["excess_model"],
            ridge_alpha=self.settings["ridge_alpha"],
            dbf=self.start.read() if self.start else None,
            aicc_penalty_factor=self.settings["aicc_penalty_factor"],
            fitting_description=upstream.import_qualified_object(self.settings["fitting_description"]),
        )


class Built(NamedTuple):
    """ESPEI's context, and values of its database.

    Attributes:
        symbols: the fitted symbols, in the order of the parameters.
        initial: their values in the database.
        residuals: ESPEI's residual objects.
        values: digest of the values of all symbols that could be fitted.
    """

    symbols: tuple[str, ...]
    initial: tuple[float, ...]
    residuals: list[Any]
    values: str


@dataclass(frozen=True)
class LikelihoodRecipe:
    """The input of ESPEI's context, as plain data.

    Attributes:
        database: the database, or how to generate it.
        phase_models: content of the phase models file.
        datasets: the datasets, in ESPEI's order.
        symbols: the symbols to fit.
        data_weights: weight of each data type.
        priors: ESPEI's ``prior_rvs``: a distribution with ``logpdf`` for each symbol, in the
            order of the sorted symbols.
        residuals: dotted names of the residuals registered with ESPEI.
        verify: one evaluation in this many of a prepared unit is compared with ESPEI's own; 0 to
            prepare nothing.
    """

    database: DatabaseText | Generate
    phase_models: dict[str, Any]
    datasets: list[dict[str, Any]]
    symbols: list[str]
    data_weights: dict[str, float] | None
    priors: list[Any]
    residuals: list[str] = field(default_factory=upstream.registered)
    verify: int = 0

    def packed(self) -> bytes:
        """Return it as bytes, which do not change on the way to a worker."""
        return pickle.dumps(self)

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """Return the packed recipe."""
        recipe = pickle.loads(packed)  # noqa: S301 (our own, over our own cluster)
        if not isinstance(recipe, cls):
            raise TypeError(f"not a packed recipe but a {type(recipe).__name__}")
        return recipe

    def build(self) -> Built:
        """Build the context as ``run_espei`` does, including copies, which affect the order of terms."""
        upstream.register(self.residuals)
        if upstream.registered() != self.residuals:
            raise RuntimeError(
                f"the residuals registered with ESPEI on this worker ({', '.join(upstream.registered())}) "
                f"differ from those where the fit was started ({', '.join(self.residuals)})"
            )
        datasets = upstream.PickleableTinyDB(storage=MemoryStorage)
        datasets.insert_multiple(self.datasets)
        if isinstance(self.database, Generate):
            database = self.database.make(self.phase_models, datasets)
        else:
            database = self.database.read()
        optimizer = upstream.EmceeOptimizer(database, phase_models=self.phase_models)
        context = upstream.setup_context(
            optimizer.dbf,
            datasets,
            self.symbols,
            data_weights=self.data_weights,
            phase_models=self.phase_models,
        )
        symbols = tuple(context["symbols_to_fit"])
        everything = upstream.database_symbols_to_fit(optimizer.dbf)
        digest = sha256(repr(_values(optimizer.dbf, everything)).encode()).hexdigest()
        return Built(symbols, _values(optimizer.dbf, symbols), context["residual_objs"], digest)


def _values(database: Any, symbols: Iterable[str]) -> tuple[float, ...]:
    return tuple(upstream.unpack_piecewise(database.symbols[symbol]) for symbol in symbols)


def database_text(path: Path) -> DatabaseText:
    """Return a database file as ``pycalphad.Database`` reads it."""
    return DatabaseText(path.read_text(), path.name)


def source(settings: Mapping[str, Any]) -> DatabaseText | Generate:
    """Return the database of a fit, or how to generate it.

    Args:
        settings: ESPEI's input as written in the file, with ``fitting_description`` by name.
    """
    if file := settings["mcmc"].get("input_db"):
        return database_text(Path(file))
    generate = upstream.normalized(settings)["generate_parameters"]
    start = generate.get("input_db")
    return Generate(generate, database_text(Path(start)) if start is not None else None)
