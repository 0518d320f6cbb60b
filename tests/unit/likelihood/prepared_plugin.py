"""A plugin of pytest under which plans answer what ESPEI's own tests ask of ESPEI.

It is loaded before the tests import ESPEI's functions. Each evaluation is done by stock ESPEI, too;
what both make of it is written into a record, with the outcomes of the tests.
"""

import json
import os
from collections import Counter
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from espei.error_functions import (
    activity_error,
    equilibrium_thermochemical_error,
    non_equilibrium_thermochemical_error,
    zpf_error,
)
from scipy.stats import norm

# Imported before anything is replaced: plans, and what they are compared with, keep ESPEI's own functions.
from espei_hpc.likelihood import combine
from espei_hpc.likelihood.fast import BoundaryPlan, Shared, configurations
from espei_hpc.likelihood.fast.guard import evaluated
from espei_hpc.likelihood.results import Description, Evaluated, Kind, Residual, UnitResult
from espei_hpc.likelihood.units import Unit, split

FloatArray = npt.NDArray[np.float64]
Original = Callable[..., Any]

ZPFResidual = zpf_error.ZPFResidual
ActivityResidual = activity_error.ActivityResidual
FixedConfigurationPropertyResidual = non_equilibrium_thermochemical_error.FixedConfigurationPropertyResidual
EquilibriumPropertyResidual = equilibrium_thermochemical_error.EquilibriumPropertyResidual


class Record:
    """What came of all tests and evaluations."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}
        """Of each test."""
        self.planned: Counter[str] = Counter()
        """Evaluations by a plan, by the kind of the residual."""
        self.left: list[tuple[str, ...]] = []
        """Units that stock ESPEI had to answer for: the test, the unit, why."""
        self.differences: list[tuple[str, ...]] = []
        """The test, the unit, the parameters, stock ESPEI's result, the plan's."""

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(vars(self)))


record = Record()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", type=Path, required=True)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or not report.passed:
        expected = "expectedly " if hasattr(report, "wasxfail") else ""
        record.outcomes[report.nodeid] = expected + report.outcome


def pytest_sessionfinish(session: pytest.Session) -> None:
    record.write(session.config.getoption("--record"))


def _test() -> str:
    return os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].split(" ")[0]


def _compare(what: str, parameters: FloatArray, stock: Any, planned: Any) -> None:
    # Written out, a number is equal to itself alone, and NaN to NaN.
    if repr(planned) != repr(stock):
        record.differences.append((_test(), what, repr(parameters.tolist()), repr(stock), repr(planned)))


def _result(kind: Kind, unit: Unit, parameters: FloatArray, shared: Shared) -> UnitResult:
    """Evaluate a unit by a plan made for other parameters; by stock ESPEI where there is no way."""
    elsewhere = parameters * 1.01 + 1.0
    stock = evaluated(unit.evaluate, parameters)[0]
    assert unit.prepare is not None
    try:
        plan = unit.prepare(elsewhere, shared)
        _compare(unit.name, parameters, stock, plan(parameters))
        _compare(unit.name, elsewhere, evaluated(unit.evaluate, elsewhere)[0], plan(elsewhere))
        planned = plan(parameters)
    except Exception as error:
        record.left.append((_test(), unit.name, f"{type(error).__name__}: {error}"))
        return stock
    _compare(unit.name, parameters, stock, planned)
    record.planned[kind] += 3
    return planned


def _results(residual: Any, parameters: FloatArray) -> tuple[Residual, list[UnitResult]]:
    """Evaluate the units of a residual; there are no results where there are no data of its kind."""
    kind, units = split(residual, known=True)
    if kind is Kind.WHOLE:
        units = []
    weight = float(residual.weight) if kind.weighted else 1.0
    described = Residual(type(residual).__name__, kind, weight, tuple(range(len(units))))
    shared = Shared()
    return described, [_result(kind, unit, parameters, shared) for unit in units]


def likelihood(original: Original, residual: Any, parameters: Any) -> Any:
    """Do as ``get_likelihood`` of all four classes: put it together from plans."""
    parameters = np.asarray(parameters, dtype=np.float64)
    stock = original(residual, parameters)
    described, results = _results(residual, parameters)
    if not results:
        return stock
    description = Description((), (), (described,), tuple(map(str, described.units)), ())
    combined = combine(description, [Evaluated(0.0, dict(enumerate(results)))])
    _compare(described.name, parameters, float(stock), float(combined))
    return combined


def _made(residual: type, **attributes: Any) -> Any:
    """Return a residual of data that are there already."""
    made: Any = object.__new__(residual)
    vars(made).update(attributes, weight=1.0)
    return made


def _flat(results: list[UnitResult]) -> tuple[list[float], list[float]]:
    values = [value for result in results for value in result.values]
    return values, [weight for result in results for weight in result.weights]


def driving_forces(
    original: Original, zpf_data: Any, parameters: Any = None, *others: Any, **named: Any
) -> Any:
    """Do as ``calculate_zpf_driving_forces``."""
    given = np.asarray([] if parameters is None else parameters, dtype=np.float64)
    forces: list[list[float]] = []
    weights: list[list[float]] = []
    for data in zpf_data:
        _, results = _results(_made(ZPFResidual, zpf_data=[data]), given)
        if any(result.stops for result in results):
            return original(zpf_data, parameters, *others, **named)
        values, deviations = _flat(results)
        forces.append(values)
        weights.append(deviations)
    return forces, weights


_estimate_hyperplane = zpf_error.estimate_hyperplane
_own_potentials = BoundaryPlan._potentials


def potentials(plan: Any) -> Any:
    """Return a plan's hyperplane; the test's own, where a test has put one in place of ESPEI's."""
    if zpf_error.estimate_hyperplane is _estimate_hyperplane:
        return _own_potentials(plan)
    return zpf_error.estimate_hyperplane()


def activity_residuals(
    original: Original,
    dbf: Any,
    comps: Any,
    phases: Any,
    datasets: Any,
    parameters: Any = None,
    *others: Any,
    **named: Any,
) -> Any:
    """Do as ``calculate_activity_residuals``."""
    given = parameters or {}
    settings = {"dbf": dbf, "comps": comps, "phases": phases, "datasets": datasets, **named}
    residual = _made(ActivityResidual, _activity_likelihood_kwargs=settings, _symbols_to_fit=list(given))
    _, results = _results(residual, np.array(list(given.values()), dtype=np.float64))
    if any(result.stops for result in results):
        return original(dbf, comps, phases, datasets, parameters, *others, **named)
    return _flat(results)


class Differences:
    """Stands in plans for the normal distribution, and keeps what it is asked for.

    A plan tells but the log-probability of its differences; ESPEI's tests ask for the differences.
    """

    last: list[float]

    def logpdf(self, differences: FloatArray, **others: Any) -> Any:
        self.last = differences.tolist()
        return norm.logpdf(differences, **others)


differences = Differences()


def configuration_differences(original: Original, dbf: Any, data: Any, parameters: Any) -> Any:
    """Do as ``compute_fixed_configuration_property_differences``."""
    stock = original(dbf, data, parameters)
    factory = data["phase_record_factory"]
    # Some tests give no parameters: ESPEI takes those that its factory has.
    given = dict(zip(map(str, factory.param_symbols), factory.param_values, strict=True)) | parameters
    attributes = {"thermochemical_data": [data], "dbf": dbf, "_symbols_to_fit": list(given)}
    residual = _made(FixedConfigurationPropertyResidual, **attributes)
    left = len(record.left)
    _results(residual, np.array(list(given.values()), dtype=np.float64))
    return stock if len(record.left) > left else differences.last


def property_differences(original: Original, data: Any, parameters: Any, *others: Any, **named: Any) -> Any:
    """Do as ``calc_prop_differences``."""
    given = np.asarray(parameters, dtype=np.float64)
    _, (result,) = _results(_made(EquilibriumPropertyResidual, property_data=[data]), given)
    if result.stops:
        return original(data, parameters, *others, **named)
    return np.array(result.values), np.array(result.weights)


class Replaced:
    """A function of ESPEI's, replaced but for what is called on the way to an answer."""

    answering = False

    @classmethod
    def by(cls, owner: Any, name: str, other: Original) -> None:
        original = getattr(owner, name)

        @wraps(original)
        def called(*args: Any, **kwargs: Any) -> Any:
            if cls.answering:
                return original(*args, **kwargs)
            cls.answering = True
            try:
                return other(original, *args, **kwargs)
            finally:
                cls.answering = False

        setattr(owner, name, called)


configurations.norm = differences  # type: ignore[attr-defined]
BoundaryPlan._potentials = potentials  # type: ignore[assignment, method-assign]
Replaced.by(zpf_error, "calculate_zpf_driving_forces", driving_forces)
Replaced.by(activity_error, "calculate_activity_residuals", activity_residuals)
Replaced.by(
    non_equilibrium_thermochemical_error,
    "compute_fixed_configuration_property_differences",
    configuration_differences,
)
Replaced.by(equilibrium_thermochemical_error, "calc_prop_differences", property_differences)
Replaced.by(ZPFResidual, "get_likelihood", likelihood)
Replaced.by(ActivityResidual, "get_likelihood", likelihood)
Replaced.by(FixedConfigurationPropertyResidual, "get_likelihood", likelihood)
Replaced.by(EquilibriumPropertyResidual, "get_likelihood", likelihood)
