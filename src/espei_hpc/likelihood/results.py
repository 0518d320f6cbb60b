"""Data sent between client and workers: the description of a likelihood, and results of its units."""

import traceback
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Self


class Kind(StrEnum):
    """How the units of a residual combine to its likelihood."""

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
        """Whether ESPEI's data weight is applied after the units."""
        return self is Kind.BOUNDARIES


@dataclass(frozen=True)
class Residual:
    """One residual of ESPEI's: a summand of the log-likelihood.

    Attributes:
        name: name of its class.
        kind: how its units combine to its likelihood.
        weight: ESPEI's data weight, dimensionless, if it is applied at the client.
        units: numbers of its units, in the order in which ESPEI evaluates them.
    """

    name: str
    kind: Kind
    weight: float
    units: tuple[int, ...]


@dataclass(frozen=True)
class Description:
    """Description of a worker's likelihood; it must be equal on all workers for results to be consistent.

    Attributes:
        symbols: the fitted symbols, in the order of the parameters.
        initial: their values in the database.
        residuals: the residuals, in the order in which ESPEI adds them up.
        units: names of the units, by number.
        environment: what the last digits depend on in addition to the input: releases, string
            hashing, and the values in the database, which ESPEI may have generated.
        note: why residuals are not split into units, or why the solver is not compiled; empty if they are
            and it is. Workers may differ in it.
    """

    symbols: tuple[str, ...]
    initial: tuple[float, ...]
    residuals: tuple[Residual, ...]
    units: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    note: str = field(default="", compare=False)


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
        """Return an exception as text."""
        summary = "".join(traceback.format_exception_only(error)).strip()
        return cls(summary, "".join(traceback.format_exception(error)))


class UnitResult(NamedTuple):
    """The outcome of one unit.

    Attributes:
        values: differences or log-probabilities, depending on the kind of the residual.
        weights: ESPEI's weight of each value, for kinds that need them.
        short_circuited: whether ESPEI would stop evaluating this residual and take it as -inf.
        failure: the exception that was raised instead.
        deviations: for fixed configurations, whose value is a log-probability: calculated minus measured,
            in standard deviations.
    """

    values: tuple[Any, ...] = ()
    weights: tuple[float, ...] = ()
    short_circuited: bool = False
    failure: Failure | None = None
    deviations: tuple[float, ...] = ()

    @property
    def stops(self) -> bool:
        """Whether ESPEI would stop evaluating the residual."""
        return self.short_circuited or self.failure is not None


class Difference(NamedTuple):
    """A prepared unit whose result differs from that of ESPEI's own functions.

    Attributes:
        unit: its name.
        parameters: the parameter set, shape (parameters,).
        stock: ESPEI's result, as text.
        prepared: the prepared result, as text.
    """

    unit: str
    parameters: tuple[float, ...]
    stock: str
    prepared: str


@dataclass(frozen=True)
class Evaluated:
    """Results of some units for one parameter set.

    Attributes:
        prior: log-probability of the prior; if it is -inf, no unit was evaluated.
        results: result of each unit by its number; units after a short-circuit or failure of
            their residual are absent.
        seconds: wall time of each of these units (not CPU time, because the wall time of pieces
            is balanced).
        notes: units that ESPEI's own functions evaluate from now on, and the reason for each.
        differences: differences of prepared units that had been trusted before.
        preparing: numbers of the units that are still being prepared, which takes longer.
    """

    prior: float
    results: dict[int, UnitResult] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    preparing: list[int] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether the units were evaluated to their end: none failed, was short-circuited or left out."""
        return bool(self.seconds) and not any(result.stops for result in self.results.values())


class LikelihoodError(Exception):
    """ESPEI's evaluation of a parameter set raised an exception.

    Args:
        unit: name of the unit or residual that failed.
        failure: the exception.
    """

    def __init__(self, unit: str, failure: Failure) -> None:
        self.unit = unit
        self.error = failure.error
        self.traceback = failure.traceback
        super().__init__(f"{unit}: {failure.error}")
