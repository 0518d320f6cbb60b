"""What may not be taken apart stays whole, and what cannot be evaluated says so."""

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from espei.error_functions.residual_base import residual_function_registry
from espei.optimizers.opt_mcmc import EmceeOptimizer

from espei_hpc.likelihood import DatabaseText, Evaluator, LikelihoodError, combine
from espei_hpc.likelihood.upstream import espei as upstream
from unit.likelihood.likelihood_cases import FloatArray, Outcome, Stock, split_outcome, vectors


class UserResidual:
    """As a user would register one: pulls the parameters towards 1000."""

    def __init__(self, database: Any, *_: Any) -> None:
        self.weight = 1.0

    def get_likelihood(self, parameters: FloatArray) -> float:
        return float(-np.sum((parameters - 1000.0) ** 2) / 1e9)


class Narrow(UserResidual):
    """Returns a narrower number than ESPEI's residuals do, which changes how the sum is rounded."""

    def get_likelihood(self, parameters: FloatArray) -> Any:
        return np.float32(super().get_likelihood(parameters))


class Failing(UserResidual):
    def get_likelihood(self, parameters: FloatArray) -> float:
        raise ArithmeticError("of the user's")


class NoNumber(UserResidual):
    def get_likelihood(self, parameters: FloatArray) -> Any:
        return np.array([1.0, 2.0])


class Derived(upstream.FixedConfigurationPropertyResidual):  # type: ignore[misc]
    """Evaluates in a way of its own."""

    def get_likelihood(self, parameters: FloatArray) -> float:
        return float(super().get_likelihood(parameters)) / 3


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> list[type]:
    """ESPEI's registered residuals, put back afterwards."""
    classes = list(residual_function_registry.get_registered_residual_functions())
    monkeypatch.setattr(residual_function_registry, "_registered_residual_functions", classes)
    return classes


@pytest.fixture
def stock_with(registry: list[type], request: pytest.FixtureRequest) -> Stock:
    """Stock ESPEI with the residual that the test names, registered by the user."""
    residual_function_registry.register(request.param)
    stock: Stock = request.getfixturevalue("enthalpies")
    return stock


@pytest.mark.parametrize("stock_with", [UserResidual, Narrow, Derived], indirect=True)
def test_residual_of_a_users_own_stays_whole_and_is_equal_to_stock(stock_with: Stock) -> None:
    evaluator = Evaluator(stock_with.recipe.packed())
    own = evaluator.description.residuals[-1]
    assert (own.kind, len(own.units)) == ("whole", 1)
    assert own.name == type(stock_with.context["residual_objs"][-1]).__name__
    singles = [(unit,) for unit in range(len(evaluator.description.units))]
    for parameters in vectors(stock_with.initial, 10, seed=1):
        assert split_outcome(evaluator, parameters, singles) == stock_with.outcome(parameters)


@pytest.mark.parametrize("residual", [Failing, NoNumber])
def test_failure_of_a_users_residual_is_told_as_stock_tells_it(
    registry: list[type], enthalpies: Stock, residual: type
) -> None:
    # Registered once stock is past its own first evaluation.
    enthalpies.context["residual_objs"].append(residual(None))
    residual_function_registry.register(residual)
    recipe = replace(enthalpies.recipe, residuals=upstream.registered())
    outcome: Outcome = enthalpies.outcome(enthalpies.initial)
    assert isinstance(outcome, str)
    assert split_outcome(Evaluator(recipe.packed()), enthalpies.initial) == outcome


def test_failure_names_its_unit_and_keeps_the_traceback(every_kind_evaluator: Evaluator) -> None:
    parameters = np.array(every_kind_evaluator.description.initial)
    parameters[3] = np.inf
    with pytest.raises(LikelihoodError) as caught:
        combine(every_kind_evaluator.description, [every_kind_evaluator(parameters)])
    assert caught.value.unit in every_kind_evaluator.description.units
    assert caught.value.error in str(caught.value)
    assert "Traceback (most recent call last)" in caught.value.traceback
    assert "pycalphad" in caught.value.traceback


def test_residual_that_only_the_client_knows_is_registered_in_the_worker_too(
    registry: list[type], enthalpies: Stock
) -> None:
    name = f"{UserResidual.__module__}.{UserResidual.__qualname__}"
    recipe = replace(enthalpies.recipe, residuals=[*enthalpies.recipe.residuals, name])
    assert UserResidual not in registry
    assert Evaluator(recipe.packed()).description.residuals[-1].name == "UserResidual"


def test_residual_that_only_the_worker_knows_is_refused(registry: list[type], enthalpies: Stock) -> None:
    residual_function_registry.register(UserResidual)
    with pytest.raises(RuntimeError, match=r"residuals registered with ESPEI on this worker.*UserResidual"):
        Evaluator(enthalpies.recipe.packed())


def test_unknown_releases_are_evaluated_whole(every_kind: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(upstream.KNOWN, "espei", "0.0.0")
    evaluator = Evaluator(every_kind.recipe.packed())
    assert [residual.kind for residual in evaluator.description.residuals] == ["whole"] * 4
    assert "espei 0.9.1 (not 0.0.0)" in evaluator.description.note
    for parameters in vectors(every_kind.initial, 3, seed=2):
        assert split_outcome(evaluator, parameters, [(1, 3), (0, 2)]) == every_kind.outcome(parameters)


@pytest.mark.needs("the compiled solver")
def test_known_releases_leave_no_note(every_kind_evaluator: Evaluator) -> None:
    assert every_kind_evaluator.description.note == ""


def test_missing_units_are_an_error_and_no_number(every_kind_evaluator: Evaluator) -> None:
    description = every_kind_evaluator.description
    parameters = np.array(description.initial)
    with pytest.raises(ValueError, match="nothing was evaluated"):
        combine(description, [])
    with pytest.raises(ValueError, match=r"unit 3 .* was not evaluated"):
        combine(description, [every_kind_evaluator(parameters, (0, 1, 2, 4))])


def test_descriptions_of_the_same_recipe_are_equal(
    every_kind: Stock, every_kind_evaluator: Evaluator
) -> None:
    again = Evaluator(every_kind.recipe.packed()).description
    assert pickle.loads(pickle.dumps(again)) == every_kind_evaluator.description
    assert again.symbols == tuple(every_kind.context["symbols_to_fit"])
    assert again.initial == tuple(every_kind.initial)


def test_description_tells_other_values_in_the_database(every_kind: Stock) -> None:
    database = every_kind.recipe.database
    assert isinstance(database, DatabaseText)
    changed = replace(database, text=database.text.replace("-36968.2", "-36968.3"))
    assert changed != database
    few = replace(every_kind.recipe, symbols=["VV0000"])
    assert (
        Evaluator(few.packed()).description != Evaluator(replace(few, database=changed).packed()).description
    )


def test_result_is_made_of_plain_floats(every_kind_evaluator: Evaluator) -> None:
    evaluated = every_kind_evaluator(np.array(every_kind_evaluator.description.initial))
    assert type(evaluated.prior) is float
    for result in evaluated.results.values():
        assert {type(number) for number in (*result.values, *result.weights)} == {float}
    assert {type(seconds) for seconds in evaluated.seconds.values()} == {float}
    assert pickle.loads(pickle.dumps(evaluated)) == evaluated


def test_far_parameters_print_nothing(
    every_kind: Stock, every_kind_evaluator: Evaluator, capfd: pytest.CaptureFixture[str]
) -> None:
    for parameters in vectors(every_kind.initial, 5, seed=3):
        every_kind_evaluator(parameters)
    assert capfd.readouterr() == ("", "")


def test_exception_of_a_prior_is_raised_as_by_stock(enthalpies: Stock) -> None:
    recipe = replace(enthalpies.recipe, priors=[BadPrior()] * len(enthalpies.initial))
    with pytest.raises(ArithmeticError, match="no prior"):
        EmceeOptimizer.predict(enthalpies.initial, **{**enthalpies.context, "prior_rvs": recipe.priors})
    with pytest.raises(ArithmeticError, match="no prior"):
        Evaluator(recipe.packed())(enthalpies.initial)


class BadPrior:
    def logpdf(self, value: float) -> float:
        raise ArithmeticError("no prior")
