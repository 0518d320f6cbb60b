"""One wrong line in the plans is enough: the guard finds it before any wrong result counts."""

import importlib
import multiprocessing
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import espei_hpc
from espei_hpc.likelihood import Evaluator, compiled
from espei_hpc.likelihood.fast.guard import WARM_UP
from espei_hpc.likelihood.results import Kind
from unit.likelihood.likelihood_cases import (
    EXAMPLE_DATA,
    FloatArray,
    Stock,
    activity_grid,
    all_kinds,
    stock,
    write,
)

PYCALPHAD = "likelihood.upstream.pycalphad"
BOUNDARIES, ACTIVITIES = "likelihood.fast.boundaries", "likelihood.fast.activities"
CONFIGURATIONS, PROPERTIES = "likelihood.fast.configurations", "likelihood.fast.properties"

MUTATIONS = [
    # parameters that do not get through, or as others
    (PYCALPHAD, "self.factory.param_values[:] = values", "values.copy()"),
    (PYCALPHAD, "values = parameters[self._order]", "values = parameters[self._order[::-1]]"),
    (CONFIGURATIONS, "self._factory.apply(parameters)", "parameters.copy()"),
    (PROPERTIES, "self._factory.apply(parameters)", "parameters.copy()"),
    (ACTIVITIES, "self._factory.apply(parameters)", "parameters.copy()"),
    # what is kept too long
    (
        PYCALPHAD,
        "if (bits := values.tobytes()) != self._applied:",
        "if (bits := b'always') != self._applied:",
    ),
    (PROPERTIES, "equilibrium.solve()", "equilibrium.stable()"),
    (ACTIVITIES, "self._equilibrium.solve()", "self._equilibrium.stable()"),
    # grids
    (PYCALPHAD, 'self._values, self._dof, b"GM"', 'self._values, self._dof, b"HM"'),
    (PYCALPHAD, "pdens=60", "pdens=50"),
    (PYCALPHAD, "self.energies[part] = energies.values()", "self.energies[part] = energies.values()[::-1]"),
    # hulls
    (PYCALPHAD, "sides.append(float(by_name[name][0]))", 'sides.append(float(by_name["N"][0]))'),
    (PYCALPHAD, "grid.phases.take(taken, axis=0)", "grid.phases.take(taken[::-1], axis=0)"),
    (PYCALPHAD, "grid.sites.take(taken, axis=0)", "grid.sites.take(taken[::-1], axis=0)"),
    # the solver
    (PYCALPHAD, "MOST_ITERATIONS = 1000", "MOST_ITERATIONS = 2"),
    (PYCALPHAD, "composition_sets[place].NP <= 0.0", "composition_sets[place].NP <= -1.0"),
    # what is made of it
    (PYCALPHAD, "float(self._potentials[element])", "float(self._potentials[element - 1])"),
    (PYCALPHAD, 'if name not in ("", "_FAKE_"):', 'if name not in ("", "_FAKE_") and not found:'),
    (BOUNDARIES, 'property_of(alone, b"GM")', 'property_of(alone, b"HM")'),
    (BOUNDARIES, "float(forces.max())", "float(forces.min())"),
    (BOUNDARIES, "row[place] for row in rows]", "row[place] for row in rows[:1]]"),
    (BOUNDARIES, "(self._weight,) * len", "(1.0,) * len"),
    (ACTIVITIES, "self._measured + reference", "self._measured - reference"),
    (CONFIGURATIONS, "loc=0", "loc=1"),
]
REBUILT = (
    PYCALPHAD,
    "likelihood.upstream.espei",
    "likelihood.fast.shared",
    BOUNDARIES,
    ACTIVITIES,
    CONFIGURATIONS,
    PROPERTIES,
    "likelihood.fast",
    "likelihood.units",
    "likelihood.fast.guard",
    "likelihood.evaluator",
)
"""Modules that are made anew with a wrong line in one of them, in the order of their imports."""

CONCERNED = {ACTIVITIES: Kind.ACTIVITY, CONFIGURATIONS: Kind.CONFIGURATIONS, PROPERTIES: Kind.PROPERTIES}
"""Units that are evaluated first, by the module with the wrong line; those of phase boundaries by default."""


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    datasets = all_kinds() | {"grid.json": activity_grid(), "two.json": two_phases()}
    datasets["tie-line.json"] = EXAMPLE_DATA["ZPF-eutectics.json"] | {
        "phases": ["LIQUID", "FCC_A1"],
        "conditions": {"P": 101325, "T": [1100]},
        "values": [[["LIQUID", ["MG"], [0.2]], ["FCC_A1", ["MG"], [0.05]]]],
    }
    return stock(write(tmp_path_factory.mktemp("mutations"), datasets))


def two_phases() -> dict[str, Any]:
    """An enthalpy where two phases are stable."""
    one_phase: dict[str, Any] = all_kinds()["equilibrium.json"]
    return one_phase | {
        "phases": ["FCC_A1", "LIQUID"],
        "conditions": {"P": 101325, "T": 1200.0, "X_MG": [0.1]},
        "values": [[[9000.0]]],
    }


def test_right_lines_leave_nothing_to_find(reference: Stock) -> None:
    assert findings(reference, None) == []


@pytest.mark.parametrize(("module", "right", "wrong"), MUTATIONS, ids=lambda item: item)
def test_wrong_line_is_found(module: str, right: str, wrong: str, reference: Stock) -> None:
    source = Path(str(importlib.import_module(f"espei_hpc.{module}").__file__)).read_text()
    assert source.count(right) == 1, "the line has changed: choose another"
    assert findings(reference, (module, right, wrong))


def findings(reference: Stock, mutation: tuple[str, str, str] | None) -> list[str]:
    """Evaluate in a process of its own; return what the guard says of the first unit that it gives up."""
    context = multiprocessing.get_context("fork")
    read, write_end = context.Pipe(duplex=False)
    process = context.Process(target=_evaluate, args=(reference, mutation, write_end))
    process.start()
    found: list[str] = read.recv()
    process.join()
    return found


def _evaluate(
    reference: Stock,
    mutation: tuple[str, str, str] | None,
    told: "multiprocessing.connection.Connection[list[str], None]",
) -> None:
    # The kernel has lines of its own in place of some of these; they are tested with it.
    os.environ[compiled.SWITCH] = "0"
    compiled.missing.cache_clear()
    if mutation:
        _mutate(*mutation)
    evaluator = sys.modules["espei_hpc.likelihood.evaluator"].Evaluator(reference.recipe.packed())
    concerned = CONCERNED.get(mutation[0], Kind.BOUNDARIES) if mutation else Kind.BOUNDARIES
    told.send(_first_notes(evaluator, reference.chains[:WARM_UP], concerned))


def _first_notes(evaluator: Evaluator, positions: FloatArray, concerned: Kind) -> list[str]:
    """Evaluate unit by unit until one is given up."""
    residuals = sorted(evaluator.description.residuals, key=lambda residual: residual.kind != concerned)
    for residual in residuals:
        for unit in residual.units:
            evaluated = [evaluator(position, (unit,)) for position in positions]
            if notes := [why for one in evaluated for _, why in one.notes]:
                return notes
    return []


def _mutate(module: str, right: str, wrong: str) -> None:
    root = Path(str(espei_hpc.__file__)).parent
    for name in REBUILT:
        loaded = importlib.import_module(f"espei_hpc.{name}")
        path = Path(str(loaded.__file__))
        source = path.read_text()
        if name == module:
            source = source.replace(right, wrong)
        assert path.is_relative_to(root)
        exec(compile(source, str(path), "exec"), loaded.__dict__)
