"""The guard covers the kernel as it covers plans: what it compares with never uses the kernel."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from espei_hpc.likelihood import WARM_UP, Evaluated, Evaluator, LikelihoodRecipe, compiled
from espei_hpc.likelihood.evaluator import _describe
from espei_hpc.likelihood.results import Kind
from unit.likelihood.likelihood_cases import FloatArray, Stock

pytestmark = pytest.mark.needs("the compiled solver")

COVERED = compiled.covered
USING = (Kind.ACTIVITY, Kind.BOUNDARIES, Kind.PROPERTIES)
"""Kinds of units that solve for equilibria each time."""


class Kernel:
    """The kernel, which counts its calls and may be wrong by one bit."""

    def __init__(self) -> None:
        self.calls = 0
        self.wrong = False

    def covered(self, function: Callable[..., Any], *given: Any) -> Any:
        self.calls += not isinstance(function, type)  # not what only makes it
        found = COVERED(function, *given)
        if self.wrong and isinstance(found, tuple):
            return found[0], np.nextafter(found[1], np.inf)
        return found


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    counted = Kernel()
    monkeypatch.setattr(compiled, "covered", counted.covered)
    return counted


@pytest.fixture
def recipe(every_kind: Stock) -> LikelihoodRecipe:
    return replace(every_kind.recipe, verify=5)


def evaluated(recipe: LikelihoodRecipe, positions: FloatArray, times: int) -> Iterator[Evaluated]:
    """Evaluate at as many positions, all of these different."""
    evaluator = Evaluator(recipe.packed())
    for number in range(times):
        yield evaluator(positions[number % len(positions)] * (1 + 1e-3 * number))


def test_espeis_own_functions_never_use_the_kernel(kernel: Kernel, every_kind: Stock) -> None:
    units, _ = _describe(every_kind.recipe.build(), prepared=True)
    for unit in units:
        unit.evaluate(every_kind.initial)
    assert kernel.calls == 0


def test_first_evaluation_does_not_use_the_kernel_and_the_others_do(
    kernel: Kernel, recipe: LikelihoodRecipe, every_kind: Stock
) -> None:
    calls = []
    for _ in evaluated(recipe, every_kind.chains, WARM_UP + 2):
        calls.append(kernel.calls)
    assert calls[0] == 0
    assert all(later > earlier for earlier, later in pairwise(calls))


def test_kernel_that_is_wrong_from_the_start_never_counts(
    kernel: Kernel, recipe: LikelihoodRecipe, every_kind: Stock
) -> None:
    kernel.wrong = True
    outcomes = list(evaluated(recipe, every_kind.chains, WARM_UP))
    assert {why for one in outcomes for _, why in one.notes} == {"its prepared result differs"}
    assert not any(one.differences for one in outcomes)
    given_up = {name for one in outcomes for name, _ in one.notes}
    description = Evaluator(recipe.packed()).description
    using = {
        description.units[unit]
        for residual in description.residuals
        if residual.kind in USING
        for unit in residual.units
    }
    # Properties do not depend on the chemical potentials.
    assert using >= given_up
    assert len(given_up) >= 5


def test_kernel_that_turns_wrong_after_it_was_trusted_is_an_alarm(
    kernel: Kernel, recipe: LikelihoodRecipe, every_kind: Stock
) -> None:
    differences = []
    for number, one in enumerate(evaluated(recipe, every_kind.chains, WARM_UP + 12)):
        kernel.wrong = number > WARM_UP + 3
        differences += one.differences
    assert len(differences) >= 5
    assert all(difference.stock != difference.prepared for difference in differences)


@pytest.mark.parametrize("unit", [0, 3, 7])
def test_calculation_that_the_kernel_does_not_cover_is_pycalphads(
    monkeypatch: pytest.MonkeyPatch, every_kind: Stock, unit: int
) -> None:
    evaluator = Evaluator(replace(every_kind.recipe, verify=1).packed())
    evaluator(every_kind.initial, (unit,))
    # Not before: the first evaluation makes what the others call.
    monkeypatch.setattr(compiled, "covered", lambda *_: None)
    outcomes = [evaluator(position, (unit,)) for position in every_kind.chains[: WARM_UP + 2]]
    assert not any(one.notes or one.differences for one in outcomes)
