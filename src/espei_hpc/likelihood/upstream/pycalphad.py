"""All private names of pycalphad that the prepared likelihood uses.

A point equilibrium of pycalphad (``Workspace.recompute``) has three steps: the energies of
sampled points of each phase, the lower convex hull of these, and its refinement by the
solver. With other parameters only the energies change. So everything else is built once,
by pycalphad's own code, and only these three steps are repeated, by the same compiled
functions in the same order, which gives the same bits.

Written for pycalphad 0.11.2; with any other release nothing is prepared (``upstream.known``).
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from pycalphad import Workspace, calculate
from pycalphad import variables as v
from pycalphad.core.composition_set import CompositionSet
from pycalphad.core.eqsolver import _solve_eq_at_conditions
from pycalphad.core.hyperplane import hyperplane
from pycalphad.core.light_dataset import LightDataset
from pycalphad.core.solver import Solver, SolverResult
from pycalphad.property_framework import as_property
from pycalphad.property_framework.computed_property import ModelComputedProperty
from pycalphad.property_framework.units import as_quantity

from espei_hpc.likelihood import compiled

FloatArray = npt.NDArray[np.float64]

KNOWN = "0.11.2"
"""The supported release."""
STATE_VARIABLES = ("N", "P", "T")
FICTITIOUS_ENERGY = 1e10
"""Energy that ``calculate`` assigns to fictitious points, above all others, J/mol."""
LONGEST_FICTITIOUS = 6
"""Length of ``_FAKE_``, which must fit into the array of phase names."""
MOST_ITERATIONS = 1000
Conditions = OrderedDict[Any, FloatArray]
"""Values of each condition in pycalphad's own units, one or more."""


class NotPrepared(Exception):
    """This calculation cannot be prepared; the message says why."""


class Left(Exception):
    """With these parameters the calculation takes a different path from the prepared one."""


class Factory:
    """A phase record factory, with strong references to its records.

    pycalphad keeps records in a cache of 128 that all factories share, and recompiles evicted ones.

    Args:
        factory: pycalphad's ``PhaseRecordFactory``.
        symbols: names of the fitted symbols, in the order of the parameters.
    """

    def __init__(self, factory: Any, symbols: Sequence[str]) -> None:
        self.factory = factory
        self.records = {name: factory[name] for name in factory.keys()}  # noqa: SIM118 (no mapping)
        places = {name: place for place, name in enumerate(symbols)}
        self._order = np.array([places[str(symbol)] for symbol in factory.param_symbols], dtype=np.intp)
        self._applied = b""
        self.generation = 0

    def apply(self, parameters: FloatArray) -> None:
        """Use these parameters, shape (parameters,), in all following calculations."""
        values = parameters[self._order]
        # Always set them: other users of the factory may have changed them.
        self.factory.param_values[:] = values
        if (bits := values.tobytes()) != self._applied:
            self._applied = bits
            self.generation += 1

    @property
    def elements(self) -> list[str]:
        """The elements without vacancies, in pycalphad's order."""
        return list(self.factory.nonvacant_elements)


class Energies:
    """Energies of fixed points of a phase, calculated once per parameter set.

    Args:
        factory: the factory with the phase's record.
        phase: name of the phase.
        state: values of N, P, T.
        points: site fractions, shape (points, internal degrees of freedom).
    """

    def __init__(self, factory: Factory, phase: str, state: FloatArray, points: FloatArray) -> None:
        self._factory, self._record = factory, factory.records[phase]
        repeated = np.tile(state, (points.shape[0], 1))
        self._dof = np.ascontiguousarray(np.concatenate((repeated, points), axis=1))
        self._values = np.zeros(points.shape[0])
        self._compiled = compiled.energies_for(self._record, self._dof)
        self._generation = -1

    def __len__(self) -> int:
        return len(self._values)

    def values(self) -> FloatArray:
        """Return molar Gibbs energies with the applied parameters, J/mol, shape (points,)."""
        if self._generation != self._factory.generation:
            self._calculate()
            self._generation = self._factory.generation
        return self._values

    def _calculate(self) -> None:
        if self._compiled is None or not compiled.covered(self._compiled.calculate, self._values):
            self._record.prop_2d(self._values, self._dof, b"GM")


class Grids:
    """Sampled points of phases, shared by all equilibria with the same factory, phases, N, P and T."""

    def __init__(self) -> None:
        self._grids: dict[Any, Grid] = {}
        self._energies: dict[Any, Energies] = {}

    def of(self, factory: Factory, workspace: Workspace, state: Mapping[str, FloatArray]) -> "Grid":
        """Return the grid of a workspace.

        Args:
            factory: factory of the workspace.
            workspace: the pycalphad workspace.
            state: N, P, T, each of shape (1,).
        """
        values = np.array([float(state[name][0]) for name in STATE_VARIABLES])
        key = (id(factory.factory), tuple(workspace.phases), values.tobytes())
        if key not in self._grids:
            self._grids[key] = Grid(self, factory, workspace, state, values)
        return self._grids[key]

    def energies(self, factory: Factory, phase: str, state: FloatArray, points: FloatArray) -> Energies:
        """Return the energies of points of a phase, shared between equal points."""
        key = (id(factory.factory), phase, state.tobytes(), points.shape, points.tobytes())
        if key not in self._energies:
            self._energies[key] = Energies(factory, phase, state, points)
        return self._energies[key]


class Grid:
    """The points that ``calculate`` samples for a workspace; their energies follow the parameters."""

    def __init__(
        self,
        grids: Grids,
        factory: Factory,
        workspace: Workspace,
        state: Mapping[str, FloatArray],
        values: FloatArray,
    ) -> None:
        # Called as in Workspace.recompute.
        self.dataset = calculate(
            workspace.database,
            workspace.components,
            workspace.phases,
            model=workspace.models.unwrap(),
            fake_points=True,
            phase_records=workspace.phase_record_factory,
            output="GM",
            parameters=workspace.parameters.unwrap(),
            to_xarray=False,
            conditions={},
            pdens=60,
            **state,
        )
        here = (0,) * len(STATE_VARIABLES)
        energies = np.ascontiguousarray(self.dataset.GM).copy()
        # The solver reads the dataset, so the energies must be updated in place.
        self.dataset.GM = energies
        self.dataset.data_vars["GM"] = (self.dataset.data_vars["GM"][0], energies)
        self.energies = energies[here]
        self.fractions = self.dataset.X[here]
        self.sites = self.dataset.Y[here]
        self.phases = self.dataset.Phase[here]
        self._factory, self._generation = factory, -1
        self._parts = []
        for phase, part in self.dataset.attrs["phase_indices"].items():
            if part.stop > part.start:
                points = self.sites[part, : factory.records[phase].phase_dof]
                self._parts.append((part, grids.energies(factory, phase, values, points)))
        fictitious = len(self.energies) - sum(len(one) for _, one in self._parts)
        if not np.all(self.energies[:fictitious] == FICTITIOUS_ENERGY):
            raise NotPrepared("its fictitious points are elsewhere")

    def part_of(self, phase: str) -> tuple[int, int]:
        """Return the place of a phase's first point, and the one after its last; equal if it has none."""
        part = self.dataset.attrs["phase_indices"].get(phase, slice(0, 0))
        return part.start, part.stop

    def largest(self) -> float:
        """Return the largest magnitude of a sampled energy, J/mol; NaN if one is."""
        self.update()
        return float(np.max([np.max(np.abs(one.values())) for _, one in self._parts]))

    def update(self) -> None:
        """Update the energies to the applied parameters."""
        if self._generation != self._factory.generation:
            for part, energies in self._parts:
                self.energies[part] = energies.values()
            self._generation = self._factory.generation


class KeptSolver(Solver):  # type: ignore[misc]
    """pycalphad's solver, which builds its description of the system only once.

    Only for constant conditions and without fixed composition sets; nothing that ``run_loop`` calls
    modifies the description. Its loop is compiled where the kernel is there and covers the system.
    """

    def __init__(self) -> None:
        super().__init__(verbose=False, remove_metastable=True)
        self._specification: Any = None
        self._compiled: Any = None
        self._state: list[tuple[int, float]] = []

    def solve(self, composition_sets: list[Any], conditions: Mapping[Any, Any]) -> SolverResult:
        """Do the same as ``Solver.solve``, without ``x`` in the result, which is not used."""
        self.describe(composition_sets, conditions)
        for composition_set in composition_sets:
            for place, value in self._state:
                composition_set.dof[place] = value
        converged, potentials = self.iterate(composition_sets)
        for place in reversed(range(len(composition_sets))):
            if composition_sets[place].NP <= 0.0 and not composition_sets[place].fixed:
                del composition_sets[place]
        composition_sets[0]  # raises IndexError if there is none, as pycalphad's solver does
        return SolverResult(converged=converged, x=None, chemical_potentials=potentials)

    def describe(self, composition_sets: list[Any], conditions: Mapping[Any, Any]) -> None:
        """Build the description of the system unless there is one."""
        if self._specification is not None:
            return
        self._specification = self.get_system_spec(composition_sets, conditions)
        self._compiled = compiled.solver_for(self._specification)
        names = [str(variable) for variable in composition_sets[0].phase_record.state_variables]
        self._state = [
            (names.index(str(key)), float(value)) for key, value in conditions.items() if str(key) in names
        ]

    def iterate(self, composition_sets: list[Any]) -> tuple[bool, FloatArray]:
        """Return whether the loop has converged, and the chemical potentials, J/mol."""
        if self._compiled is not None:
            found = compiled.covered(self._compiled.solve, composition_sets, MOST_ITERATIONS)
            if found is not None:
                converged, potentials = found
                return converged, potentials
        state = self._specification.get_new_state(composition_sets)
        converged = self._specification.run_loop(state, MOST_ITERATIONS)
        return bool(converged), np.array(state.chemical_potentials)


class PointEquilibrium:
    """The equilibrium of a workspace at one point, which can be calculated repeatedly.

    Args:
        workspace: the pycalphad workspace, created by upstream's own code.
        factory: its phase record factory.
        grids: the shared grids.
        point: one of the workspace's points, from :func:`points`; None if it has only one.

    Raises:
        NotPrepared: if it is not a single point in N, P, T and all but one mole fraction.
    """

    def __init__(
        self, workspace: Workspace, factory: Factory, grids: Grids, point: "Conditions | None" = None
    ) -> None:
        conditions = point or _conditions(workspace)
        _refuse_others(workspace, factory, conditions)
        self._factory = factory
        self._keys = list(conditions)
        self._elements = factory.elements
        by_name = OrderedDict((str(key), value) for key, value in conditions.items())
        self._grid = grids.of(factory, workspace, {name: by_name[name] for name in STATE_VARIABLES})
        self.conditions = OrderedDict(
            (key, np.asarray(value[0], dtype=np.float64)) for key, value in conditions.items()
        )
        self._state = np.array([float(by_name[name][0]) for name in STATE_VARIABLES])
        self._constraints(by_name)
        self._make_result(by_name)
        self._solver = KeptSolver()
        self._compiled = self._compile()

    def _constraints(self, by_name: Mapping[str, Any]) -> None:
        """Set up the hull's linear constraints, in the order of ``lower_convex_hull``."""
        names = list(by_name)
        rows, sides = [], []
        for name in sorted(by_name):
            key = self._keys[names.index(name)]
            if isinstance(key, v.MoleFraction):
                rows.append([float(element == str(key.species)) for element in self._elements])
            elif key == v.N:
                rows.append([1.0] * len(self._elements))
            else:
                continue
            sides.append(float(by_name[name][0]))
        self._rows, self._sides = np.atleast_2d(rows), np.atleast_1d(np.array(sides, dtype=np.float64))
        self._no_potentials = np.array([], dtype=np.uintp)

    def _make_result(self, by_name: Mapping[str, Any]) -> None:
        """Create the dataset of ``starting_point``, which is refilled each time."""
        names, count = list(by_name), len(self._elements)
        shape, vertices = (1,) * len(names), count + 1
        longest = max(LONGEST_FICTITIOUS, *map(len, self._factory.records))
        sites = max(record.phase_dof for record in self._factory.records.values())
        variables = {
            "NP": ([*names, "vertex"], np.zeros((*shape, vertices))),
            "GM": (names, np.zeros(shape)),
            "MU": ([*names, "component"], np.zeros((*shape, count))),
            "X": ([*names, "vertex", "component"], np.zeros((*shape, vertices, count))),
            "Y": ([*names, "vertex", "internal_dof"], np.zeros((*shape, vertices, sites))),
            "Phase": ([*names, "vertex"], np.full((*shape, vertices), "", dtype=f"U{longest}")),
        }
        coordinates = OrderedDict(by_name) | {"vertex": np.arange(vertices), "component": self._elements}
        self._result = LightDataset(variables, coords=coordinates)
        here = self._here = (0,) * len(names)
        self._amounts, self._potentials = self._result.NP[here], self._result.MU[here]
        self._fractions, self._points = self._result.X[here], np.zeros(vertices, dtype=np.int32)
        self.sites, self.phases = self._result.Y[here], self._result.Phase[here]

    def _compile(self) -> Any | None:
        """Return the compiled equilibrium; None if there is none."""
        fractions = [float(value) for key, value in self.conditions.items() if str(key).startswith("X_")]
        if np.sum(fractions) > 1:  # pycalphad does not calculate it then
            return None
        records = [self._factory.records[name] for name in sorted(self._factory.records)]
        self._solver.describe([CompositionSet(records[0])], self.conditions)
        grid = self._grid
        parts = [grid.part_of(record.phase_name) for record in records]
        return compiled.point_for(
            self._solver,
            records,
            parts,
            grid.fractions,
            grid.sites,
            grid.energies,
            self._state,
            self._rows,
            self._sides,
        )

    def solve(self) -> None:
        """Calculate the equilibrium with the parameters applied to its factory."""
        if self._compiled is not None:
            self._grid.update()
            found = (self._amounts, self._potentials, self.phases, self.sites)
            if compiled.covered(self._compiled.solve, *found):
                return
        self._find_hull()
        _solve_eq_at_conditions(
            self._result,
            self._factory.records,
            self._grid.dataset,
            self._keys,
            self._factory.factory.state_variables,
            False,
            solver=self._solver,
        )

    def _find_hull(self) -> None:
        """Do the same as ``lower_convex_hull``, for one point."""
        grid, count = self._grid, len(self._elements)
        grid.update()
        self._potentials[:] = 0
        self._result.GM[self._here] = hyperplane(
            grid.fractions,
            grid.energies,
            self._potentials,
            self._no_potentials,
            self._rows,
            self._sides,
            self._amounts,
            self._points,
        )
        taken = self._points[:count]
        self.phases[count:], self._fractions[count:], self.sites[:] = "", np.nan, np.nan
        self.phases[:count] = grid.phases.take(taken, axis=0)
        self._fractions[:count] = grid.fractions.take(taken, axis=0)
        self.sites[:count, : grid.sites.shape[-1]] = grid.sites.take(taken, axis=0)
        for vertex in np.flatnonzero(self.phases[:count] == "_FAKE_"):
            self.phases[vertex] = ""
            self._fractions[vertex] = self.sites[vertex] = self._amounts[vertex] = np.nan

    def potential(self, element: int) -> float:
        """Return the chemical potential of an element, J/mol; NaN without convergence (``get(v.MU(…))``)."""
        return float(self._potentials[element]) if self.stable_phases() else np.nan

    def stable_phases(self) -> int:
        """Return the number of stable phases; 0 without convergence."""
        return sum(map(bool, self.phases.tolist()))

    def first(self, phase: str) -> Any:
        """Return the first composition set of a phase, as ``find_first_compset`` does.

        Raises:
            Left: if the phase is not stable.
        """
        for vertex, name in enumerate(self.phases):
            if name == phase:
                record = self._factory.records[phase]
                found = CompositionSet(record)
                found.update(self.sites[vertex, : record.phase_dof], self._amounts[vertex], self._state)
                return found
        raise Left(f"{phase} is not stable")

    def stable(self) -> list[Any]:
        """Return the stable composition sets, in pycalphad's order; empty without convergence."""
        found = []
        for vertex, name in enumerate(self.phases):
            if name not in ("", "_FAKE_"):
                record = self._factory.records[str(name)]
                found.append(CompositionSet(record))
                found[-1].update(self.sites[vertex, : record.phase_dof], self._amounts[vertex], self._state)
        return found


def property_of(composition_set: Any, name: bytes) -> float:
    """Return a molar property of a composition set, in pycalphad's unit."""
    value = np.zeros(1)
    composition_set.phase_record.prop(value, composition_set.dof, name)
    return float(value[0])


class MolarProperty:
    """A property of the model, summed over the stable phases.

    Args:
        name: pycalphad's name, such as ``HM_MIX``.

    Raises:
        NotPrepared: for any other property.
    """

    def __init__(self, name: str) -> None:
        self._property = as_property(name)
        plain = type(self._property) is ModelComputedProperty and self._property.phase_name is None
        if not plain or self._property.display_units != self._property.implementation_units:
            raise NotPrepared(f"its property {name}")

    def of(self, composition_sets: list[Any]) -> float:
        """Return its value, in pycalphad's unit; NaN if there is no composition set."""
        return float(self._property.compute_property(composition_sets, {}, []))


def _conditions(workspace: Workspace) -> Conditions:
    """Return a workspace's conditions in pycalphad's own units, as in ``Workspace.recompute``."""
    return OrderedDict(
        (key, as_quantity(key, value).to(key.implementation_units).magnitude)
        for key, value in workspace.conditions.items()
    )


def state_of(workspace: Workspace) -> dict[str, FloatArray]:
    """Return N, P and T of a workspace, each of shape (1,).

    Raises:
        NotPrepared: if one of them is free, or has several values.
    """
    by_name = {str(key): value for key, value in _conditions(workspace).items()}
    if any(len(by_name.get(name, ())) != 1 for name in STATE_VARIABLES):
        raise NotPrepared("its state variables")
    return {name: by_name[name] for name in STATE_VARIABLES}


def points(workspace: Workspace) -> list[Conditions]:
    """Return the conditions of each point of a workspace, in the order of its results."""
    conditions = _conditions(workspace)
    return [
        OrderedDict((key, np.array([value])) for key, value in zip(conditions, values, strict=True))
        for values in product(*conditions.values())
    ]


def _refuse_others(workspace: Workspace, factory: Factory, conditions: Mapping[Any, Any]) -> None:
    fractions = 0
    for key, value in conditions.items():
        global_fraction = isinstance(key, v.MoleFraction) and key.phase_name is None
        if len(value) != 1 or not (global_fraction or str(key) in STATE_VARIABLES):
            raise NotPrepared(f"its condition {key}")
        fractions += global_fraction
    if workspace.verbose or len(workspace.calc_opts) > 0 or type(workspace.solver) is not Solver:
        raise NotPrepared("its options")
    if tuple(sorted(map(str, factory.factory.state_variables))) != STATE_VARIABLES:
        raise NotPrepared("its state variables")
    if not set(STATE_VARIABLES) <= {str(key) for key in conditions}:
        raise NotPrepared("N, P or T is free")
    if fractions != len(factory.elements) - 1:
        raise NotPrepared("its degrees of freedom")
