# distutils: language = c++
# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""pycalphad's equilibrium at one point: convex hull of sampled points, start, and refinement by the solver.

It repeats ``hyperplane`` of pycalphad 0.11.2 (``pycalphad/core/hyperplane.pyx``) for points without fixed
chemical potentials, and ``_solve_eq_at_conditions`` (``pycalphad/core/eqsolver.pyx``) for a single point, by
the same operations in the same order, and has the same bits; see ``solver.pyx``.

Differences, none of which changes a bit:

- The prescribed composition is found once. pycalphad finds it for each simplex, from the same equations.
- Composition sets are used again; all of their numbers are set before any is read.
- Molar energy and composition of the result are left out: nothing reads them.
"""

from libc.math cimport fabs
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

cimport scipy.linalg.cython_lapack as lapack
from pycalphad.core.composition_set cimport CompositionSet
from pycalphad.core.phase_rec cimport FastFunction, FastFunctionFactory, PhaseRecord

import numpy as np

from espei_hpc.likelihood.compiled.solver import NotCovered

# All constants are those of pycalphad.
cdef double SINGULAR = -1e19
cdef double LEAST_AMOUNT = 1e-6
cdef double LEAST_FORCE_OF_START = -1000
cdef double LEAST_FORCE_OF_NEW = 1e-4
cdef double AMOUNT_OF_NEW = 1e-6
cdef double SAME_COMPOSITION = 1e-4
cdef double ON_HULL = -1e-8
cdef int MOST_HULL_ITERATIONS = 1000
cdef int MOST_SOLUTIONS = 10
cdef int FICTITIOUS = -1
# Where nothing is larger, or smaller.
cdef double LARGER_THAN_ANY_FRACTION = 1e300
cdef double SMALLER_THAN_ANY_FRACTION = -1e30
cdef double LARGER_THAN_ANY_DISTANCE = 1e10
cdef double SMALLER_THAN_ANY_FORCE = -1e30
cdef double INFINITE = np.inf
cdef double NOT_A_NUMBER = np.nan


ctypedef void (*function_pointer)(double*, const double*, void*) noexcept nogil


cdef void _solve(double* matrix, int size, double* side, int* pivots) noexcept nogil:
    # Solve linear equations, stored column by column; both are overwritten.
    cdef int one = 1, info = 0, place
    lapack.dgesv(&size, &one, matrix, &size, pivots, side, &size, &info)
    if info != 0:
        for place in range(size):
            side[place] = SINGULAR


cdef class CompiledEnergies:
    """Molar Gibbs energies of fixed points of a phase, as by ``PhaseRecord.prop_2d``.

    Args:
        record: the phase record.
        variables: state variables and site fractions, shape (points, variables).

    Raises:
        NotCovered: if there are no points, or the record has other variables.
    """

    cdef PhaseRecord _record
    cdef FastFunction _function
    cdef double[:, ::1] _rows
    cdef int _variables

    def __init__(self, PhaseRecord record not None, double[:, ::1] variables):
        cdef int parameters = <int>record.parameters.shape[0]
        self._variables = record.num_statevars + record.phase_dof
        if variables.shape[0] == 0 or variables.shape[1] != self._variables:
            raise NotCovered("no points, or other variables")
        self._record = record
        self._function = <FastFunction>(<FastFunctionFactory>record.function_factory).get_func(b"GM")
        # The functions take the parameters behind the variables.
        rows = np.zeros((variables.shape[0], self._variables + parameters))
        rows[:, : self._variables] = variables
        self._rows = rows

    def calculate(self, double[::1] values not None):
        """Set the energies to those with the present parameters, J/mol, shape (points,)."""
        cdef int point, parameter, points = <int>self._rows.shape[0]
        cdef int parameters = <int>self._rows.shape[1] - self._variables
        cdef function_pointer function = <function_pointer>self._function.f_ptr
        if parameters != self._record.parameters.shape[0] or values.shape[0] != points:
            raise NotCovered("another number of parameters or points")
        if function == NULL:
            return True
        for point in range(points):
            for parameter in range(parameters):
                self._rows[point, self._variables + parameter] = self._record.parameters[parameter]
            function(&values[point], &self._rows[point, 0], self._function.func_data)
        return True


cdef class CompiledPoint:
    """The equilibrium at one point, which can be calculated repeatedly.

    Args:
        solver: refines composition sets: its ``iterate`` returns whether it has converged, and the
            chemical potentials, J/mol.
        records: the phase records, sorted by the names of their phases.
        parts: first point of each phase in the grid, and the one after its last, shape (phases, 2).
        fractions: mole fractions of the grid's points, shape (points, components).
        sites: their site fractions, shape (points, sites).
        energies: their molar energies, J/mol, shape (points,); updated in place by the caller.
        state: values of the state variables.
        rows: coefficients of the conditions on the composition, shape (components, components).
        sides: their right-hand sides, shape (components,).

    Raises:
        NotCovered: if there are not as many conditions as components, or only one component.
    """

    cdef object _solver, _fraction_array, _force_array
    cdef list _records, _names, _kept, _used
    cdef int _components, _points
    cdef int[:, ::1] _parts
    cdef int[::1] _phase_of
    cdef double[:, ::1] _fractions, _sites
    cdef double[::1] _energies, _forces, _state, _composition

    def __init__(self, solver, list records, parts, fractions, sites, energies, state, rows, sides):
        components = fractions.shape[1]
        if rows.shape != (components, components) or sides.shape != (components,) or components < 2:
            raise NotCovered("another number of conditions")
        self._solver, self._records = solver, records
        self._names = [record.phase_name for record in records]
        # Composition sets of each phase, and how many of these are in use.
        self._kept, self._used = [[] for _ in records], [0] * len(records)
        self._components, self._points = components, len(energies)
        self._fraction_array, self._force_array = fractions, np.zeros(len(energies))
        self._fractions, self._sites, self._energies = fractions, sites, energies
        self._forces, self._state = self._force_array, state
        phase_of = np.full(len(energies), FICTITIOUS, dtype=np.int32)
        for phase, (start, stop) in enumerate(parts):
            phase_of[start:stop] = phase
        self._phase_of, self._parts = phase_of, np.ascontiguousarray(parts, dtype=np.int32)
        self._composition = self._prescribed(np.array(rows, order="F"), np.array(sides))

    cdef object _prescribed(self, double[::1, :] rows, double[::1] sides):
        # The composition on which the conditions agree.
        cdef int[::1] pivots = np.zeros(self._components, dtype=np.int32)
        _solve(&rows[0, 0], self._components, &sides[0], &pivots[0])
        return np.asarray(sides)

    def solve(self, double[::1] amounts, potentials, phases, double[:, ::1] sites):
        """Calculate the equilibrium with the present energies and parameters.

        Args:
            amounts: gets the amount of each stable phase, mol; NaN beyond.
            potentials: array that gets the chemical potentials, J/mol.
            phases: array that gets the names of the stable phases; empty beyond.
            sites: gets their site fractions, shape (phases, sites); NaN beyond.
            All get NaN and empty names without convergence.

        Raises:
            NotCovered: if pycalphad would raise an exception, or the solver does not cover it. The arguments
                may have changed.
        """
        cdef double[::1] potential_view = potentials
        cdef list composition_sets = self._hull(amounts, potential_view)
        cdef bint converged = False, added = False
        cdef int solutions
        if not composition_sets:
            raise NotCovered("no phase")
        self._add_nearly_stable(composition_sets, potentials)
        self._normalize(composition_sets)
        for solutions in range(MOST_SOLUTIONS):
            converged = self._refine(composition_sets, potentials)
            added = self._add_new(composition_sets, potentials)
            if not added:
                break
        if added:
            converged = self._refine(composition_sets, potentials)
        self._write(composition_sets if converged else [], amounts, potentials, phases, sites)
        return True

    cdef list _hull(self, double[::1] amounts, double[::1] potentials):
        # The composition sets of the hull below the prescribed composition, and its chemical potentials.
        cdef int components = self._components, vertex, phase
        cdef int* simplex = <int*>malloc(components * sizeof(int))
        cdef CompositionSet composition_set
        cdef double amount
        cdef list found = []
        if simplex == NULL:
            raise MemoryError
        try:
            if not self._find_hull(simplex, &amounts[0], &potentials[0]):
                raise MemoryError
            self._used = [0] * len(self._records)
            for vertex in range(components):
                phase = self._phase_of[simplex[vertex]]
                if phase == FICTITIOUS:
                    continue
                amount = amounts[vertex]
                if LEAST_AMOUNT > amount:
                    amount = LEAST_AMOUNT
                found.append(self._composition_set(phase, simplex[vertex], amount))
        finally:
            free(simplex)
        return found

    cdef bint _find_hull(self, int* simplex, double* amounts, double* potentials) noexcept nogil:
        # Move from simplex to simplex, each below the last, to the one without a point below it.
        cdef int components = self._components, trial, vertex, component, point, iteration, best = 0, lowest
        cdef int square = components * components
        cdef double highest, smallest, distance, lowest_distance
        cdef const double* fractions = &self._fractions[0, 0]
        cdef double* numbers = <double*>malloc((3 * square + components) * sizeof(double))
        cdef int* integers = <int*>malloc((square + components) * sizeof(int))
        cdef double* shares = numbers          # of each vertex of each trial
        cdef double* matrix = shares + square
        cdef double* plane = matrix + square   # chemical potentials
        cdef int* trials = integers
        cdef int* pivots = trials + square
        if numbers == NULL or integers == NULL:
            free(numbers)
            free(integers)
            return False
        for vertex in range(components):
            simplex[vertex] = vertex
            plane[vertex] = 0
            for trial in range(components):
                trials[trial * components + vertex] = vertex
        for iteration in range(MOST_HULL_ITERATIONS):
            best = 0
            highest = SMALLER_THAN_ANY_FRACTION
            for trial in range(components):
                for vertex in range(components):
                    point = trials[trial * components + vertex]
                    memcpy(
                        matrix + vertex * components, fractions + point * components,
                        components * sizeof(double),
                    )
                    shares[trial * components + vertex] = self._composition[vertex]
                _solve(matrix, components, shares + trial * components, pivots)
                smallest = LARGER_THAN_ANY_FRACTION
                for vertex in range(components):
                    if shares[trial * components + vertex] < smallest:
                        smallest = shares[trial * components + vertex]
                if smallest > highest:
                    highest = smallest
                    best = trial
            if highest < -components:
                break
            for vertex in range(components):
                point = trials[best * components + vertex]
                for component in range(components):
                    matrix[vertex + components * component] = fractions[point * components + component]
                plane[vertex] = self._energies[point]
            _solve(matrix, components, plane, pivots)
            if plane[0] == SINGULAR:
                break
            for vertex in range(components):
                simplex[vertex] = trials[best * components + vertex]
            lowest = -1
            lowest_distance = LARGER_THAN_ANY_DISTANCE
            for point in range(self._points):
                distance = self._energies[point]
                for component in range(components):
                    distance -= plane[component] * fractions[point * components + component]
                if distance < lowest_distance:
                    lowest_distance = distance
                    lowest = point
            for trial in range(components):
                for vertex in range(components):
                    trials[trial * components + vertex] = lowest if trial == vertex else simplex[vertex]
            if lowest_distance > ON_HULL:
                break
        memcpy(amounts, shares + best * components, components * sizeof(double))
        memcpy(potentials, plane, components * sizeof(double))
        free(numbers)
        free(integers)
        return True

    cdef CompositionSet _composition_set(self, int phase, int point, double amount):
        # A composition set of a phase at a point of the grid.
        cdef list kept = self._kept[phase]
        cdef int place = self._used[phase], state_variables = <int>self._state.shape[0]
        cdef CompositionSet found
        cdef PhaseRecord record = self._records[phase]
        if place == len(kept):
            kept.append(CompositionSet(record))
        self._used[phase] = place + 1
        found = kept[place]
        memcpy(&found.dof[0], &self._state[0], state_variables * sizeof(double))
        memcpy(&found.dof[state_variables], &self._sites[point, 0], record.phase_dof * sizeof(double))
        found.NP, found.fixed = amount, False
        return found

    cdef void _find_forces(self, potentials) except *:
        # Driving forces of the grid's points. NumPy has BLAS multiply, in an order of its own.
        cdef int point
        np.dot(self._fraction_array, potentials, self._force_array)
        for point in range(self._points):
            self._forces[point] -= self._energies[point]

    cdef void _add_nearly_stable(self, list composition_sets, potentials) except *:
        # Add phases that the hull has not, as metastable, at their point that is nearest to it.
        cdef int phase, point, best
        cdef double highest
        self._find_forces(potentials)
        for phase in range(<int>self._parts.shape[0]):
            if self._used[phase] or self._parts[phase, 0] == self._parts[phase, 1]:
                continue
            best = self._parts[phase, 0]
            highest = SMALLER_THAN_ANY_FORCE
            for point in range(self._parts[phase, 0], self._parts[phase, 1]):
                if self._forces[point] > highest:
                    highest = self._forces[point]
                    best = point
            if self._forces[best] >= LEAST_FORCE_OF_START:
                composition_sets.append(self._composition_set(phase, best, 0.0))

    cdef void _normalize(self, list composition_sets) except *:
        cdef CompositionSet composition_set
        cdef double total = 0
        for composition_set in composition_sets:
            total += composition_set.NP
        if total == 0:
            raise NotCovered("no amount")
        for composition_set in composition_sets:
            composition_set.NP /= total

    cdef bint _refine(self, list composition_sets, potentials) except *:
        # Solve, and drop what is not stable; returns whether it has converged.
        cdef CompositionSet composition_set
        cdef int place
        converged, found = self._solver.iterate(composition_sets)
        for place in range(len(composition_sets) - 1, -1, -1):
            composition_set = composition_sets[place]
            if composition_set.NP <= 0:
                del composition_sets[place]
        if not composition_sets:
            raise NotCovered("no stable phase")
        potentials[:] = found
        return converged

    cdef bint _add_new(self, list composition_sets, potentials) except *:
        # Add the point furthest below the hyperplane, if a composition set of its phase is not already there.
        cdef int point, component, best = 0, phase
        cdef double highest = -INFINITE
        cdef CompositionSet composition_set
        cdef bint distinct
        self._find_forces(potentials)
        for point in range(self._points):
            if self._forces[point] > highest:
                highest = self._forces[point]
                best = point
        phase = self._phase_of[best]
        if not highest > LEAST_FORCE_OF_NEW or phase == FICTITIOUS:
            return False
        for composition_set in composition_sets:
            if composition_set.phase_record.phase_name != self._names[phase]:
                continue
            distinct = False
            for component in range(self._components):
                if fabs(self._fractions[best, component] - composition_set.X[component]) > SAME_COMPOSITION:
                    distinct = True
            if not distinct:
                return False
        composition_sets.append(self._composition_set(phase, best, AMOUNT_OF_NEW))
        return True

    cdef void _write(
        self, list composition_sets, double[::1] amounts, potentials, phases, double[:, ::1] sites
    ) except *:
        cdef int place, number, state_variables = <int>self._state.shape[0]
        cdef CompositionSet composition_set
        if len(composition_sets) > amounts.shape[0]:
            raise NotCovered("more stable phases than the phase rule allows")
        phases[:] = ""
        amounts[:] = NOT_A_NUMBER
        sites[:, :] = NOT_A_NUMBER
        if not composition_sets:
            potentials[:] = NOT_A_NUMBER
        for place in range(len(composition_sets)):
            composition_set = composition_sets[place]
            phases[place] = composition_set.phase_record.phase_name
            amounts[place] = composition_set.NP
            number = composition_set.phase_record.phase_dof
            memcpy(&sites[place, 0], &composition_set.dof[state_variables], number * sizeof(double))
