"""Each name and habit of pycalphad's that plans lean on without a promise: a change must be loud."""

import inspect
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
from pycalphad import Workspace
from pycalphad.codegen.phase_record_factory import PhaseRecordFactory
from pycalphad.core import lower_convex_hull, starting_point
from pycalphad.core.solver import Solver
from pycalphad.property_framework import metaproperties
from pycalphad.property_framework.computed_property import ModelComputedProperty

LINES: list[tuple[Callable[..., Any], list[str]]] = [
    (
        Workspace.recompute,
        [
            "as_quantity(key, value).to(key.implementation_units).magnitude",
            "grid_opts['pdens'] = 60",
            "model=self.models.unwrap(), fake_points=True",
            "phase_records=self.phase_record_factory, output='GM', parameters=self.parameters.unwrap()",
            "starting_point(unitless_conds, state_variables, self.phase_record_factory, grid)",
            "return _solve_eq_at_conditions(properties, self.phase_record_factory, grid,",
        ],
    ),
    (
        Workspace.enumerate_composition_sets,
        [
            "if phase_name == '' or phase_name == '_FAKE_':",
            "compset.update(sfx, phase_amt, state_variable_values)",
        ],
    ),
    (
        Workspace.get_dict,
        [
            "values = arg.compute_property(composition_sets, cur_conds, chemical_potentials)",
            "results[arg][local_index, ...] = to_display_units(values, composition_sets, arg)",
        ],
    ),
    (
        starting_point.starting_point,
        [
            "max_phase_name_len = max(max([len(x) for x in active_phases]), 6)",
            "maximum_internal_dof = max(prx.phase_dof for prx in phase_records.values())",
            "lower_convex_hull(grid, state_variables, sorted(conditions.keys(), key=str), phase_records,",
        ],
    ),
    (
        lower_convex_hull.lower_convex_hull,
        ["idx_result_array_MU_values[:] = 0", "enumerate(sorted(result_array.coords.keys()))"],
    ),
    (
        Solver.solve,
        [
            "spec = self.get_system_spec(composition_sets, conditions)",
            "self._fix_state_variables_in_compsets(composition_sets, conditions)",
            "state = spec.get_new_state(composition_sets)",
            "converged = spec.run_loop(state, 1000)",
            "if compset.NP <= 0.0 and not compset.fixed:",
            "chemical_potentials = np.array(state.chemical_potentials)",
        ],
    ),
    (PhaseRecordFactory.update_parameters, ["self.param_values[:] = new_param_values"]),
    (
        ModelComputedProperty.compute_property,
        ["np.sum([compset.NP*self._compute_per_phase_property(compset, cur_conds) for compset in compsets])"],
    ),
    (
        metaproperties.IsolatedPhase.__call__,
        [
            "res = self.solver.solve([self._compset], cur_conds)",
            "return prop.compute_property([self._compset], cur_conds, new_chemical_potentials)",
        ],
    ),
    (metaproperties.find_first_compset, ["if compset.phase_record.phase_name == phase_name:"]),
]


@pytest.mark.parametrize(("function", "lines"), LINES, ids=lambda item: getattr(item, "__qualname__", ""))
def test_functions_do_what_plans_do_again(function: Callable[..., Any], lines: list[str]) -> None:
    source = inspect.getsource(function)
    for line in lines:
        assert line in source


COMPILED = {
    "eqsolver.pyx": [
        "def _solve_eq_at_conditions(properties, phase_records, grid, conds_keys, state_variables, verbose, "
        "solver=None):",
        "result = iter_solver.solve(composition_sets, cur_conds)",
        "grid.attrs['phase_indices']",
    ],
    "hyperplane.pyx": ["cpdef double hyperplane("],
    "minimizer.pyx": ["run_loop(", "get_new_state("],
    "phase_rec.pyx": ["prop_2d("],
}


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_functions_are_those_that_plans_call(name: str) -> None:
    # Of compiled functions only the source that comes with them tells anything.
    source = (files("pycalphad.core") / name).read_text()
    for line in COMPILED[name]:
        assert line in source
