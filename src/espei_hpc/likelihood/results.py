"""What goes between client and workers: the description of a likelihood, and results of its units."""

import traceback
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Self


class Kind(StrEnum):
    """How the units of a residual make up its likelihood."""

    WHOLE = "whole"
    """One unit: the likelihood itself."""
    BOUNDARIES = "phase boundaries"
    """Driving forces of phase regions (ZPF)."""
    ACTIVITY = "activity"
    """Differences of chemical potentials at points."""
    CONFIGURATIONS = "fixed configurations"
    """Log-probability of each property of each phase."""
    PROPERTIES = "equilibrium properties"
    """Differences of a property, dataset by dataset."""

    @property
    def weighted(self) -> bool:
        """Whether ESPEI's data weight enters after the units."""
        return self is Kind.BOUNDARIES


@dataclass(frozen=True)
class Residual:
    """One residual of ESPEI's: a summand of the log-likelihood.

    Attributes:
        name: name of its class.
        kind: how its units make up its likelihood.
        weight: ESPEI's data weight, dimensionless, where the likelihood is made up at the client.
        units: numbers of its units, in the order in which ESPEI evaluates them.
    """

    name: str
    kind: Kind
    weight: float
    units: tuple[int, ...]


@dataclass(frozen=True)
class Description:
    """What a worker's likelihood consists of; equal on all workers, or their results would not fit.

    Attributes:
        symbols: the fitted symbols, in the order of the parameters.
        initial: their values in the database.
        residuals: the residuals, in the order in which ESPEI adds them up.
        units: names of the units, by number.
        environment: what the last digits depend on besides the input: releases, string hashing,
            and the values in the database, which ESPEI may have generated.
        note: why residuals are not taken apart, if they are not.
    """

    symbols: tuple[str, ...]
    initial: tuple[float, ...]
    residuals: tuple[Residual, ...]
    units: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    note: str = ""


class Failure(NamedTuple):
    """An exception, in plain text.

    Attributes:
        error: type and message, one line or more.
        traceback: the worker's traceback.
    """

    error: str
    traceback: str

    @classmethod
    def of(cls, error: Exception) -> Self:
        """Put an exception into plain text."""
        summary = "".join(traceback.format_exception_only(error)).strip()
        return cls(summary, "".join(traceback.format_exception(error)))


class UnitResult(NamedTuple):
    """The outcome of one unit.

    Attributes:
        values: differences, or log-probabilities, as the kind of the residual has it.
        weights: ESPEI's weight of each value, for kinds that need them.
        short_circuited: whether ESPEI would evaluate nothing more of this residual and take it as -inf.
        failure: the exception that was raised instead.
    """

    values: tuple[Any, ...] = ()
    weights: tuple[float, ...] = ()
    short_circuited: bool = False
    failure: Failure | None = None

    @property
    def stops(self) -> bool:
        """Whether ESPEI would evaluate nothing more of the residual."""
        return self.short_circuited or self.failure is not None


class Difference(NamedTuple):
    """A prepared unit whose result is not that of ESPEI's own functions.

    Attributes:
        unit: its name.
        parameters: where, shape (parameters,).
        stock: ESPEI's result, written out.
        prepared: the other one.
    """

    unit: str
    parameters: tuple[float, ...]
    stock: str
    prepared: str


@dataclass(frozen=True)
class Evaluated:
    """Some units evaluated for one set of parameters.

    Attributes:
        prior: log-probability of the prior; if it is -inf, no unit was evaluated.
        results: outcome of each unit by its number; those after a short-circuit or failure of
            their residual are absent.
        seconds: wall time that each of these took (wall, not CPU: it is the wall time of
            pieces that is to be balanced).
        notes: units that are left to ESPEI's own functions from now on, and why each is.
        differences: of prepared units that had been trusted before.
        preparing: numbers of the units that are only being prepared, which takes longer.
    """

    prior: float
    results: dict[int, UnitResult] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    preparing: list[int] = field(default_factory=list)


class LikelihoodError(Exception):
    """ESPEI's evaluation of a set of parameters raised an exception.

    Args:
        unit: name of the unit or residual that failed.
        failure: the exception.
    """

    def __init__(self, unit: str, failure: Failure) -> None:
        self.unit = unit
        self.error = failure.error
        self.traceback = failure.traceback
        super().__init__(f"{unit}: {failure.error}")
