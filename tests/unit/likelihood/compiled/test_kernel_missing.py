"""The kernel is optional: without it the results are the same, and one line says why it is missing."""

import platform
import runpy
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from espei_hpc.likelihood import Evaluator, compiled
from espei_hpc.likelihood.upstream import pycalphad as upstream
from unit.likelihood.likelihood_cases import Stock, split_outcome


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is kept of what an earlier test has found, and of this one nothing is kept either."""
    monkeypatch.delenv(compiled.SWITCH, raising=False)
    compiled.missing.cache_clear()
    yield
    monkeypatch.undo()
    compiled.missing.cache_clear()


@pytest.fixture
def off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(compiled.SWITCH, "0")


def test_results_are_the_same_and_one_line_says_why(off: None, every_kind: Stock) -> None:
    evaluator = Evaluator(every_kind.recipe.packed())
    note = evaluator.description.note
    assert note == "no compiled solver, pycalphad's own does the same in more time: ESPEI_HPC_COMPILED is 0"
    for position in every_kind.chains[:6]:
        assert split_outcome(evaluator, position) == every_kind.outcome(position)


def test_solver_is_pycalphads_own(off: None) -> None:
    assert compiled.solver_for(object()) is None
    assert compiled.point_for(object()) is None


def test_release_of_pycalphad_that_the_kernel_was_not_made_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "version", lambda _: "0.12.0")
    assert compiled.missing() == "made for pycalphad 0.11.2, not 0.12.0"


def test_processor_whose_compiler_contracts_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert compiled.missing() == "not for this processor (aarch64)"


def test_extension_module_that_was_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        return import_module(f"espei_hpc.likelihood.compiled.absent_{name}")

    monkeypatch.setattr(compiled, "_module", absent)
    assert compiled.missing() == "No module named 'espei_hpc.likelihood.compiled.absent_solver'"


@pytest.mark.parametrize("error", [ValueError, TypeError, ImportError])
def test_extension_module_that_was_built_with_others(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def changed(_: str) -> Any:
        raise error("CompositionSet size changed,\nmay indicate binary incompatibility")

    monkeypatch.setattr(compiled, "_module", changed)
    assert compiled.missing() == "CompositionSet size changed, may indicate binary incompatibility"


def test_workers_with_and_without_it_work_together(
    monkeypatch: pytest.MonkeyPatch, enthalpies: Stock
) -> None:
    usual = Evaluator(enthalpies.recipe.packed()).description
    compiled.missing.cache_clear()
    monkeypatch.setenv(compiled.SWITCH, "0")
    assert Evaluator(enthalpies.recipe.packed()).description == usual


def test_nothing_is_said_of_the_kernel_where_nothing_is_prepared(off: None, enthalpies: Stock) -> None:
    recipe = replace(enthalpies.recipe, verify=0)
    assert Evaluator(recipe.packed()).description.note == ""


def test_command_says_whether_it_is_used(off: None, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_module("espei_hpc.likelihood.compiled", run_name="__main__")
    assert capsys.readouterr().out == "ESPEI_HPC_COMPILED is 0\n"


def test_kernel_is_for_the_release_that_plans_are_for() -> None:
    assert compiled.BUILT_FOR == upstream.KNOWN
