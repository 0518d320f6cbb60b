"""The promise: whole or in pieces, in any order, the bits are those of stock ESPEI's own evaluation."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from amounts import few_and_many
from espei_hpc.likelihood import Evaluated, Evaluator
from unit.likelihood.likelihood_cases import (
    ENTHALPIES,
    Stock,
    activity_grid,
    all_kinds,
    combined,
    random_pieces,
    split_outcome,
    stock,
    vectors,
    write,
)

BOUNDARIES = {name: data for name, data in all_kinds().items() if data["output"] == "ZPF"}
EQUILIBRIUM = {name: data for name, data in all_kinds().items() if data["output"] in ("HM", "HMR")}

CHOSEN = (0, 1, 2, 3, 13, 9, 17, 19)
"""Places among parameters: near ones that have all prepared, then far ones that fail, each in its way."""


@pytest.fixture(scope="module")
def boundaries(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """Stock ESPEI with phase boundaries and equilibrium properties."""
    return stock(write(tmp_path_factory.mktemp("boundaries"), BOUNDARIES | EQUILIBRIUM))


def test_every_kind_of_data_is_taken_apart(every_kind_evaluator: Evaluator) -> None:
    kinds = {residual.kind: len(residual.units) for residual in every_kind_evaluator.description.residuals}
    assert kinds == {
        "activity": 2,
        "fixed configurations": 3,
        "phase boundaries": 5,
        "equilibrium properties": 2,
    }


@few_and_many("chosen", CHOSEN, range(100))
def test_random_pieces_are_equal_to_stock_for_every_kind_of_data(
    chosen: Sequence[int], every_kind: Stock, every_kind_evaluator: Evaluator
) -> None:
    random = np.random.default_rng(7)
    candidates = vectors(every_kind.initial, 100, seed=3)
    for parameters in (candidates[place] for place in chosen):
        pieces = random_pieces(every_kind_evaluator.description, random)
        assert split_outcome(every_kind_evaluator, parameters, pieces) == every_kind.outcome(parameters)


@few_and_many("number", 5, 50)
def test_whole_evaluations_are_equal_to_stock_on_the_example(number: int, example: Stock) -> None:
    evaluator = Evaluator(example.recipe.packed())
    for parameters in [*example.chains[:6], *vectors(example.initial, number, seed=4)]:
        assert split_outcome(evaluator, parameters) == example.outcome(parameters)


@few_and_many("number", 30, 1000)
def test_parameters_without_end_are_equal_to_stock(number: int, enthalpies: Stock) -> None:
    evaluator = Evaluator(enthalpies.recipe.packed())
    random = np.random.default_rng(8)
    for parameters in vectors(enthalpies.initial, number, seed=5):
        pieces = random_pieces(evaluator.description, random)
        assert split_outcome(evaluator, parameters, pieces) == enthalpies.outcome(parameters)


def test_other_parameters_in_between_change_nothing(
    every_kind: Stock, every_kind_evaluator: Evaluator
) -> None:
    evaluator = every_kind_evaluator
    candidates = [*every_kind.chains[:3], *vectors(every_kind.initial, 9, seed=6)[-2:]]
    random = np.random.default_rng(9)
    number = len(evaluator.description.units)
    order = [(vector, unit) for vector in range(len(candidates)) for unit in range(number)]
    random.shuffle(order)
    parts: list[list[Evaluated]] = [[] for _ in candidates]
    for vector, unit in order:
        parts[vector].append(evaluator(candidates[vector], (unit,)))
    for parameters, found in zip(candidates, parts, strict=True):
        assert combined(evaluator.description, found) == every_kind.outcome(parameters)


def test_activities_on_a_grid_are_taken_apart_and_equal(tmp_path: Path) -> None:
    reference = stock(write(tmp_path, {"grid.json": activity_grid()}))
    evaluator = Evaluator(reference.recipe.packed())
    activity = evaluator.description.residuals[0]
    assert (activity.kind, len(activity.units)) == ("activity", 4)
    random = np.random.default_rng(10)
    for parameters in vectors(reference.initial, 5, seed=11):
        pieces = random_pieces(evaluator.description, random)
        assert split_outcome(evaluator, parameters, pieces) == reference.outcome(parameters)


@pytest.mark.parametrize(
    "prior",
    [
        {"name": "uniform", "loc_shift_absolute": -2e3, "scale_absolute": 4e3},
        {"name": "normal", "loc_relative": 1.0, "scale_absolute": 2e3},
        {"name": "triangular", "loc_shift_absolute": -5e3, "scale_absolute": 1e4, "c_absolute": 0.5},
    ],
    ids=lambda prior: prior["name"],
)
def test_priors_are_equal_to_stock(prior: dict[str, object], tmp_path: Path) -> None:
    reference = stock(write(tmp_path, ENTHALPIES, prior=prior))
    evaluator = Evaluator(reference.recipe.packed())
    outcomes = []
    for parameters in [*reference.chains, *vectors(reference.initial, 40, seed=12)]:
        outcomes.append(reference.outcome(parameters))
        assert split_outcome(evaluator, parameters) == outcomes[-1]
    assert len(set(outcomes)) > 3


def test_nothing_is_evaluated_where_the_prior_excludes_the_parameters(tmp_path: Path) -> None:
    prior = {"name": "uniform", "loc_shift_absolute": -2e3, "scale_absolute": 4e3}
    reference = stock(write(tmp_path, ENTHALPIES, prior=prior))
    evaluator = Evaluator(reference.recipe.packed())
    assert evaluator(reference.initial * 10) == Evaluated(-np.inf)
    assert reference.outcome(reference.initial * 10) == np.float64(-np.inf).tobytes()


def one_by_one(evaluator: Evaluator, parameters: np.ndarray) -> tuple[list[Evaluated], str]:
    """Evaluate each unit alone; tell of each if it short-circuits (S), fails (F), is NaN (n) or not (.)."""
    parts = [evaluator(parameters, (unit,)) for unit in range(len(evaluator.description.units))]
    found = ""
    for unit, part in enumerate(parts):
        result = part.results[unit]
        if result.stops:
            found += "S" if result.short_circuited else "F"
        else:
            found += "." if np.all(np.isfinite(result.values)) else "n"
    return parts, found


@pytest.mark.parametrize(
    ("symbol", "value", "expected", "ends"),
    [
        # The units: activity, configurations (both without data); five phase regions; two datasets.
        ((0,), np.inf, "...SS.S..", "-inf"),
        ((0, 1), np.inf, "..FSS.S..", "failure"),
        ((0, 4), np.nan, "..nFFFFF.", "failure"),
        ((4,), np.inf, "..SFFFFF.", "failure"),  # that of the equilibrium properties
        ((0, 3), 1e30, ".......SS", "-inf"),
        ((1, 4), np.inf, "...FF.FFF", "failure"),
    ],
)
def test_short_circuits_and_failures_count_in_espeis_order(
    boundaries: Stock, symbol: tuple[int, ...], value: float, expected: str, ends: str
) -> None:
    evaluator = Evaluator(boundaries.recipe.packed())
    parameters = boundaries.initial.copy()
    parameters[list(symbol)] = value
    parts, found = one_by_one(evaluator, parameters)
    assert found == expected, "the case is not what it is here for"
    outcome = boundaries.outcome(parameters)
    assert isinstance(outcome, str) == (ends == "failure")
    assert split_outcome(evaluator, parameters) == outcome
    assert combined(evaluator.description, reversed(parts)) == outcome


def test_failure_after_a_short_circuit_does_not_count(tmp_path: Path) -> None:
    reference = stock(write(tmp_path, BOUNDARIES))
    evaluator = Evaluator(reference.recipe.packed())
    parameters = reference.initial.copy()
    parameters[4] = np.inf
    parts, found = one_by_one(evaluator, parameters)
    assert found == "..SFFFF."
    assert reference.outcome(parameters) == np.float64(-np.inf).tobytes()
    assert combined(evaluator.description, parts) == reference.outcome(parameters)
    assert split_outcome(evaluator, parameters) == reference.outcome(parameters)
    for pieces in [(7, 0, 1), (5, 6), (4, 3), (2,)], [(2, 3, 4), (0, 1, 5, 6, 7)]:
        assert split_outcome(evaluator, parameters, pieces) == reference.outcome(parameters)


def test_units_are_reported_with_their_times_unless_espei_would_skip_them(boundaries: Stock) -> None:
    evaluator = Evaluator(boundaries.recipe.packed())
    whole = evaluator(boundaries.initial)
    assert list(whole.results) == list(whole.seconds) == list(range(9))
    assert all(seconds > 0 for seconds in whole.seconds.values())
    parameters = boundaries.initial.copy()
    parameters[4] = np.inf
    assert list(evaluator(parameters).results) == [0, 1, 2, 7]
