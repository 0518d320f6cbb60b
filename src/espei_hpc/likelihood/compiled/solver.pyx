# distutils: language = c++
# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""pycalphad's equilibrium solver at fixed N, P, T and mole fractions, without Python objects in its loop.

The algorithm is that of B. Sundman, X.-G. Lu and H. Ohtani, "The implementation of an algorithm to calculate
thermodynamic equilibria for multi-component systems with non-ideal phases in a free software",
Computational Materials Science 101 (2015) 127-137, with the rules for steps and for changes of phases of
pycalphad 0.11.2 (``pycalphad/core/minimizer.pyx``). Each number is the result of the same operations on the
same operands in the same order as there, by the same functions of the phase records and of SciPy's LAPACK,
so it has the same bits. This holds only if the compiler neither reorders nor contracts floating-point
operations: build with ``-ffp-contract=off`` and without ``-ffast-math``.

Differences, none of which changes a bit:

- There are no free state variables, fixed phases, fixed chemical potentials and conditions of single phases:
  their terms are left out. Whatever has them is refused (:class:`NotCovered`).
- A composition set whose site fractions are those of the previous iteration keeps what was calculated then.
- Composition sets get their site fractions, amount, energy and composition once, at the end.
- What pycalphad calculates and never reads, is not calculated.
"""

from libc.math cimport fabs, isnan
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

cimport scipy.linalg.cython_lapack as lapack
from pycalphad.core.composition_set cimport CompositionSet
from pycalphad.core.minimizer cimport SystemSpecification
from pycalphad.core.phase_rec cimport FastFunction, FastFunctionFactory, PhaseRecord

import numpy as np

# All constants are those of pycalphad's minimizer.
cdef double LEAST_SITE_FRACTION = 1e-14
cdef double BOUNDS_TOLERANCE = 1e-11
cdef double LEAST_AMOUNT_IN_STEP = 1e-16
cdef double LEAST_AMOUNT_IN_LOOP = 1e-10
cdef double LEAST_AMOUNT_CONVERGED = 1e-9
cdef double LEAST_AMOUNT_OF_TOO_MANY = 1e-4
cdef double AMOUNT_OF_NEW_PHASE = 1e-10
cdef double LEAST_AMOUNT_CONSOLIDATED = 1e-8
cdef double SAME_COMPOSITION = 1e-4
cdef double LEAST_DRIVING_FORCE = 1e-5
cdef double LARGEST_AMOUNT_CHANGE = 1e-10
cdef double LARGEST_SITE_CHANGE = 5e-9
cdef double SINGULAR_VALUE_CUTOFF = 1e-16
cdef double SINGULAR = -1e19
cdef double FIRST_RESIDUAL = 1e10
cdef int ITERATIONS_OF_RAMP = 20
cdef int ITERATIONS_BEFORE_REMOVAL = 5
cdef int ITERATIONS_BEFORE_CONVERGENCE = 10
cdef int ITERATIONS_BEFORE_ADDING = 5
cdef int MOST_REMOVALS = 4
# pycalphad's guesses of two numbers of LAPACK's dgelsd.
cdef int SMALLEST_SUBPROBLEM = 50
cdef int LEVELS = 10

ctypedef void (*function_pointer)(double*, const double*, void*) noexcept nogil


class NotCovered(Exception):
    """The kernel does not cover this calculation; the message says why."""


cdef struct Function:
    # A compiled function of a phase record.
    function_pointer pointer
    void* data


cdef inline Function _function(FastFunction function):
    cdef Function found
    found.pointer = <function_pointer>function.f_ptr
    found.data = function.func_data
    return found


cdef inline void _call(const Function* function, double* result, const double* variables) noexcept nogil:
    if function.pointer != NULL:
        function.pointer(result, variables, function.data)


cdef class _Functions:
    # The functions of a phase record, which it keeps alive, and their sizes.
    cdef PhaseRecord record
    cdef int name, sites, constraints, parameters
    cdef Function energy, gradient, hessian, molar_energy, constraint, constraint_jacobian
    # One of each component: moles in a formula unit, their gradient, moles in a mole of atoms.
    cdef Function* moles
    cdef Function* moles_gradient
    cdef Function* molar_amount

    def __cinit__(self, PhaseRecord record, int components, int name):
        cdef FastFunctionFactory factory = record.function_factory
        cdef int component
        self.record = record
        self.name = name
        self.sites = record.phase_dof
        self.constraints = <int>record.num_internal_cons
        self.parameters = <int>record.parameters.shape[0]
        self.energy = _function(<FastFunction>factory.get_func(b"G"))
        self.gradient = _function(<FastFunction>factory.get_grad(b"G"))
        self.hessian = _function(<FastFunction>factory.get_hess(b"G"))
        self.molar_energy = _function(<FastFunction>factory.get_func(b"GM"))
        self.constraint = _function(record._internal_cons_func)
        self.constraint_jacobian = _function(record._internal_cons_jac)
        self.moles = <Function*>malloc(3 * components * sizeof(Function))
        if self.moles == NULL:
            raise MemoryError
        self.moles_gradient = self.moles + components
        self.molar_amount = self.moles_gradient + components
        for component in range(components):
            self.moles[component] = _function(<FastFunction>record._formulamoles_ptr[component])
            self.moles_gradient[component] = _function(<FastFunction>record._formulamolegrads_ptr[component])
            self.molar_amount[component] = _function(<FastFunction>record._masses_ptr[component])

    def __dealloc__(self):
        free(self.moles)


cdef struct Phase:
    # A composition set during a solution. Matrices are stored row by row.
    Function energy_of, gradient_of, hessian_of, molar_energy_of, constraint_of, constraint_jacobian_of
    Function* moles_of
    Function* moles_gradient_of
    Function* molar_amount_of
    int name                       # equal for composition sets of the same phase
    int sites, constraints
    int variables                  # state variables and site fractions
    int rows                       # of the phase matrix
    bint calculated                # whether the values below are those of ``calculated_at``
    double* at                     # state variables, site fractions, parameters
    double* calculated_at          # state variables and site fractions
    double* stepped                # the same after a step
    double calculated_amount       # moles of atoms
    double energy                  # of a formula unit, as all following
    double total_moles
    double* moles                  # of each component
    double* moles_gradient         # components x variables
    double* total_moles_gradient
    double* gradient
    double* hessian
    double* constraint
    double* constraint_jacobian
    double* inverse                # of the phase matrix: e of Sundman et al.
    double* response_energy        # c_G, c_A and c_(state variable) of Sundman et al.
    double* response_potential     # components x sites
    double* response_state         # sites x state variables
    double* site_step
    double* inversion_work
    int* pivots


cdef struct System:
    # The description of the system: state variables, components, conditions on mole fractions.
    int state_variables, components, conditions
    int most_stable                # phases that the phase rule allows
    double prescribed_amount, allowed_residual
    double* coefficients           # conditions x components, one 1 in each row
    double* prescribed
    # Its state.
    int phases
    int stable_phases, iterations_since_change
    int* stable                    # places of the stable phases, ascending
    int* metastable_iterations
    int* removals                  # how often each phase has been removed
    int* is_stable                 # three tables for the changes of phases
    int* is_removed
    int* is_added
    double amount, residual, largest_amount_change, largest_site_change
    double* amounts                # formula units of each phase
    double* potentials
    double* mole_fractions
    double* driving_forces
    # The equilibrium system, stored column by column, and what LAPACK needs for it.
    double* matrix
    double* solution
    double* singular_values
    double* work
    int* integer_work


cdef enum Outcome:
    NOT_CONVERGED
    CONVERGED
    DIVISION_BY_ZERO
    PHASE_RULE_VIOLATED
    NOTHING_TO_REMOVE


FAILURES = {
    DIVISION_BY_ZERO: "a system without atoms",
    PHASE_RULE_VIOLATED: "conditions that violate the phase rule",
    NOTHING_TO_REMOVE: "no phase to remove for another",
}
"""What pycalphad's loop fails with, which the caller then finds out by pycalphad itself."""


cdef inline bint _any_nan(const double* values, int number) noexcept nogil:
    cdef int place
    for place in range(number):
        if isnan(values[place]):
            return True
    return False


cdef inline void _fill(double* values, int number, double value) noexcept nogil:
    cdef int place
    for place in range(number):
        values[place] = value


cdef inline int _work_size(int size) noexcept nogil:
    # Size of the work space of dgelsd, on which its way depends: as in pycalphad.
    return (
        12 * size + 2 * size * SMALLEST_SUBPROBLEM + 8 * size * LEVELS + size
        + (SMALLEST_SUBPROBLEM + 1) * (SMALLEST_SUBPROBLEM + 1)
    )


cdef void _solve_least_squares(System* system, int size) noexcept nogil:
    # pycalphad's ``lstsq`` for a square matrix: it is overwritten, and so is the right-hand side.
    cdef int one = 1, rank = 0, info = 0
    cdef int work_size = _work_size(size)
    cdef double cutoff = SINGULAR_VALUE_CUTOFF
    if _any_nan(system.matrix, size * size):
        _fill(system.solution, size, 0.0)
    else:
        lapack.dgelsd(
            &size, &size, &one, system.matrix, &size, system.solution, &size, system.singular_values, &cutoff,
            &rank, system.work, &work_size, system.integer_work, &info,
        )
    if info != 0:
        _fill(system.solution, size, SINGULAR)


cdef void _invert(double* matrix, int size, int* pivots, double* work) noexcept nogil:
    # pycalphad's ``invert_matrix``, in place.
    cdef int info = 0
    if _any_nan(matrix, size * size):
        _fill(matrix, size * size, 0.0)
    else:
        lapack.dgetrf(&size, &size, matrix, &size, pivots, &info)
        lapack.dgetri(&size, matrix, &size, pivots, work, &size, &info)
    if info != 0:
        _fill(matrix, size * size, SINGULAR)


cdef void _calculate_phase(Phase* phase, int components, int state_variables) noexcept nogil:
    # The phase matrix and the responses of the site fractions: eqs. 41 and 43 of Sundman et al.
    cdef int component, row, column, variable
    cdef int sites = phase.sites, variables = phase.variables, rows = phase.rows
    cdef double total
    cdef double* target
    cdef const double* factors
    memcpy(phase.calculated_at, phase.at, variables * sizeof(double))
    phase.energy = 0
    memset(phase.moles_gradient, 0, components * variables * sizeof(double))
    memset(phase.inverse, 0, rows * rows * sizeof(double))
    memset(phase.constraint, 0, phase.constraints * sizeof(double))
    memset(phase.hessian, 0, variables * variables * sizeof(double))
    memset(phase.gradient, 0, variables * sizeof(double))

    _call(&phase.energy_of, &phase.energy, phase.at)
    for component in range(components):
        _call(&phase.moles_gradient_of[component], phase.moles_gradient + component * variables, phase.at)
    _call(&phase.hessian_of, phase.hessian, phase.at)
    _call(&phase.gradient_of, phase.gradient, phase.at)
    _call(&phase.constraint_of, phase.constraint, phase.at)
    _call(&phase.constraint_jacobian_of, phase.constraint_jacobian, phase.at)

    for row in range(sites):
        memcpy(
            phase.inverse + row * rows,
            phase.hessian + (state_variables + row) * variables + state_variables,
            sites * sizeof(double),
        )
    for row in range(phase.constraints):
        factors = phase.constraint_jacobian + row * variables + state_variables
        for column in range(sites):
            phase.inverse[(sites + row) * rows + column] = factors[column]
            phase.inverse[column * rows + sites + row] = factors[column]
    _invert(phase.inverse, rows, phase.pivots, phase.inversion_work)

    for row in range(sites):
        factors = phase.inverse + row * rows
        total = 0
        for column in range(sites):
            total -= factors[column] * phase.gradient[state_variables + column]
        phase.response_energy[row] = total
        for variable in range(state_variables):
            total = 0
            for column in range(sites):
                total -= factors[column] * phase.hessian[(state_variables + column) * variables + variable]
            phase.response_state[row * state_variables + variable] = total
        for component in range(components):
            target = phase.moles_gradient + component * variables + state_variables
            total = 0
            for column in range(sites):
                total += target[column] * factors[column]
            phase.response_potential[component * sites + row] = total
    phase.total_moles = 0
    memset(phase.total_moles_gradient, 0, variables * sizeof(double))
    for component in range(components):
        phase.total_moles += phase.moles[component]
        for variable in range(variables):
            phase.total_moles_gradient[variable] += phase.moles_gradient[component * variables + variable]


cdef bint _calculate(System* system, Phase* phases) noexcept nogil:
    # pycalphad's ``SystemState.recompute``; false if it would divide by zero.
    cdef int place, component, condition
    cdef double total
    cdef Phase* phase
    memset(system.mole_fractions, 0, system.components * sizeof(double))
    system.amount = 0
    for place in range(system.phases):
        phase = &phases[place]
        phase.calculated = phase.calculated and memcmp(
            phase.at, phase.calculated_at, phase.variables * sizeof(double)
        ) == 0
        for component in range(system.components):
            if not phase.calculated:
                phase.moles[component] = 0
                _call(&phase.moles_of[component], &phase.moles[component], phase.at)
            if system.amounts[place] > 0:
                system.mole_fractions[component] += system.amounts[place] * phase.moles[component]
                system.amount += system.amounts[place] * phase.moles[component]
    if system.amount == 0:
        return False
    for component in range(system.components):
        system.mole_fractions[component] /= system.amount
    system.residual = 0
    for condition in range(system.conditions):
        system.residual += fabs(_prescribed_part(system, condition) - system.prescribed[condition])
    for place in range(system.phases):
        phase = &phases[place]
        total = 0
        for component in range(system.components):
            total += phase.moles[component]
        phase.calculated_amount = system.amounts[place] * total
        if not phase.calculated:
            _calculate_phase(phase, system.components, system.state_variables)
            phase.calculated = True
    return True


cdef inline double _prescribed_part(System* system, int condition) noexcept nogil:
    # Exact in any order, since one coefficient is 1 and the others are 0; yet a NaN of any fraction counts.
    cdef int component
    cdef double total = 0
    cdef const double* coefficients = system.coefficients + condition * system.components
    for component in range(system.components):
        total += coefficients[component] * system.mole_fractions[component]
    return total


cdef void _add_fraction_row(
    System* system, Phase* phase, double amount, int component, double* row, int size, int own, double* side
) noexcept nogil:
    # A phase's part in the row of a prescribed mole fraction. The row's elements are ``size`` apart.
    cdef int potential, site
    cdef int sites = phase.sites
    cdef double share = amount / system.amount
    cdef double fraction = -system.mole_fractions[component]
    cdef double total
    cdef const double* gradient = (
        phase.moles_gradient + component * phase.variables + system.state_variables
    )
    cdef const double* totals = phase.total_moles_gradient + system.state_variables
    cdef const double* response
    for potential in range(system.components):
        response = phase.response_potential + potential * sites
        total = row[potential * size]
        for site in range(sites):
            total += share * gradient[site] * response[site]
        for site in range(sites):
            total += share * (fraction * totals[site]) * response[site]
        row[potential * size] = total
    row[own * size] += (1.0 / system.amount) * (
        phase.moles[component] - system.mole_fractions[component] * phase.total_moles
    )
    total = side[0]
    for site in range(sites):
        total += -share * gradient[site] * phase.response_energy[site]
    for site in range(sites):
        total += -share * (fraction * totals[site]) * phase.response_energy[site]
    side[0] = total


cdef void _add_amount_row(
    System* system, Phase* phase, double amount, double* row, int size, int own, double* side
) noexcept nogil:
    # A phase's part in the row of the prescribed amount of the system.
    cdef int component, potential, site
    cdef int sites = phase.sites
    cdef double total
    cdef const double* gradient
    cdef const double* response
    for component in range(system.components):
        gradient = phase.moles_gradient + component * phase.variables + system.state_variables
        for potential in range(system.components):
            response = phase.response_potential + potential * sites
            total = row[potential * size]
            for site in range(sites):
                total += amount * gradient[site] * response[site]
            row[potential * size] = total
        row[own * size] += phase.moles[component]
        total = side[0]
        for site in range(sites):
            total += -amount * gradient[site] * phase.response_energy[site]
        side[0] = total


cdef bint _solve_equilibrium_system(System* system, Phase* phases) noexcept nogil:
    # Set up and solve eq. 59 of Sundman et al.; false if the phase rule forbids it.
    cdef int number, component, condition, place
    cdef int rows = system.stable_phases + system.conditions + 1
    cdef int columns = system.components + system.stable_phases
    cdef Phase* phase
    if rows != columns:
        return False
    memset(system.matrix, 0, rows * columns * sizeof(double))
    memset(system.solution, 0, rows * sizeof(double))
    for number in range(system.stable_phases):
        place = system.stable[number]
        phase = &phases[place]
        for component in range(system.components):
            system.matrix[number + component * rows] = phase.moles[component]
        system.solution[number] = phase.energy
        for condition in range(system.conditions):
            for component in range(system.components):
                if system.coefficients[condition * system.components + component] != 0:
                    _add_fraction_row(
                        system, phase, system.amounts[place], component,
                        system.matrix + system.stable_phases + condition, rows, system.components + number,
                        system.solution + system.stable_phases + condition,
                    )
        _add_amount_row(
            system, phase, system.amounts[place],
            system.matrix + rows - 1, rows, system.components + number, system.solution + rows - 1,
        )
    for condition in range(system.conditions):
        system.solution[system.stable_phases + condition] -= (
            _prescribed_part(system, condition) - system.prescribed[condition]
        )
    system.solution[rows - 1] -= system.amount - system.prescribed_amount
    _solve_least_squares(system, rows)
    memcpy(system.potentials, system.solution, system.components * sizeof(double))
    return True


cdef void _step_amounts(System* system, double step) noexcept nogil:
    # A step in the amounts of phases, as long as none becomes negative.
    cdef int number, place
    cdef double change, longest
    cdef const double* changes = system.solution + system.components
    for number in range(system.stable_phases):
        place = system.stable[number]
        change = changes[number]
        if system.amounts[place] + change < LEAST_AMOUNT_IN_STEP and fabs(change) > LEAST_AMOUNT_IN_STEP:
            longest = (LEAST_AMOUNT_IN_STEP - system.amounts[place]) / change
            if longest < step:
                step = longest
    system.largest_amount_change = 0
    for number in range(system.stable_phases):
        change = step * changes[number]
        system.amounts[system.stable[number]] += change
        if fabs(change) > system.largest_amount_change:
            system.largest_amount_change = fabs(change)


cdef void _step_sites(System* system, Phase* phase, double* step) noexcept nogil:
    # A step in the site fractions, halved until it stays within bounds; so it stays for the next phases.
    cdef int site, variable, component, constraint
    cdef bint outside
    cdef double total, value
    cdef double shortest = 1e-20 * step[0]
    cdef double* old = phase.at + system.state_variables
    cdef double* new = phase.stepped + system.state_variables
    for site in range(phase.sites):
        total = 0
        total += phase.response_energy[site]
        for variable in range(system.state_variables):
            total += phase.response_state[site * system.state_variables + variable] * 0.0
        for component in range(system.components):
            total += phase.response_potential[component * phase.sites + site] * system.potentials[component]
        for constraint in range(phase.constraints):
            total -= (
                phase.inverse[(phase.sites + constraint) * phase.rows + site] * phase.constraint[constraint]
            )
        phase.site_step[site] = total
    memcpy(new, old, phase.sites * sizeof(double))
    while step[0] >= shortest:
        outside = False
        for site in range(phase.sites):
            value = old[site] + step[0] * phase.site_step[site]
            if value > 1:
                if value - 1 > BOUNDS_TOLERANCE:
                    outside = True
                value = 1
            elif value < LEAST_SITE_FRACTION:
                if LEAST_SITE_FRACTION - value > BOUNDS_TOLERANCE:
                    outside = True
                value = old[site] / 100
                if LEAST_SITE_FRACTION > value:
                    value = LEAST_SITE_FRACTION
            new[site] = value
        if not outside:
            break
        step[0] *= 0.5
    # Of the last phase, as in pycalphad.
    system.largest_site_change = 0
    for site in range(phase.sites):
        if fabs(old[site] - new[site]) > system.largest_site_change:
            system.largest_site_change = fabs(old[site] - new[site])
    memcpy(old, new, phase.sites * sizeof(double))


cdef void _step(System* system, Phase* phases, double step) noexcept nogil:
    # pycalphad's ``advance_state``.
    cdef int place
    _step_amounts(system, step)
    for place in range(system.phases):
        _step_sites(system, &phases[place], &step)


cdef bint _same_composition(System* system, Phase* one, Phase* other) noexcept nogil:
    cdef int component
    if one.name != other.name:
        return False
    for component in range(system.components):
        if fabs(one.moles[component] - other.moles[component]) > SAME_COMPOSITION:
            return False
    return True


cdef bint _remove_and_consolidate(System* system, Phase* phases) noexcept nogil:
    # Remove phases without amount, and join composition sets that have become equal.
    cdef int number, second, place, other, kept = 0, removed = 0
    cdef double joined
    memset(system.is_removed, 0, system.phases * sizeof(int))
    for number in range(system.stable_phases):
        place = system.stable[number]
        if system.is_removed[place]:
            continue
        if system.amounts[place] < LEAST_AMOUNT_IN_LOOP:
            system.is_removed[place] = 1
            removed += 1
            system.amounts[place] = 0
            continue
        for second in range(system.stable_phases):
            other = system.stable[second]
            if other == place or system.is_removed[other]:
                continue
            if not _same_composition(system, &phases[place], &phases[other]):
                continue
            system.is_removed[other] = 1
            removed += 1
            joined = system.amounts[place] + system.amounts[other]
            system.amounts[place] = LEAST_AMOUNT_CONSOLIDATED if LEAST_AMOUNT_CONSOLIDATED > joined else joined
            system.amounts[other] = 0
    if removed == 0:
        return False
    if removed == system.stable_phases:
        # One phase at least stays.
        for number in range(system.stable_phases):
            system.amounts[system.stable[number]] = 1
        memset(system.potentials, 0, system.components * sizeof(double))
        return False
    for number in range(system.stable_phases):
        place = system.stable[number]
        if system.is_removed[place]:
            system.removals[place] += 1
        else:
            system.stable[kept] = place
            kept += 1
    system.stable_phases = kept
    return True


cdef void _find_driving_forces(System* system, Phase* phases) noexcept nogil:
    # Of a mole of atoms of each phase, J/mol.
    cdef int place, component
    cdef double value
    for place in range(system.phases):
        system.driving_forces[place] = 0
        for component in range(system.components):
            value = 0
            _call(&phases[place].molar_amount_of[component], &value, phases[place].at)
            system.driving_forces[place] += system.potentials[component] * value
        value = 0
        _call(&phases[place].molar_energy_of, &value, phases[place].at)
        system.driving_forces[place] -= value


cdef int _change_phases(System* system, Phase* phases) noexcept nogil:
    # Once converged, remove phases of small amounts and add the one with the least positive driving force.
    # Returns whether the stable phases have changed; -1 where pycalphad fails.
    cdef int number, place, least, kept = 0, removed = 0, added = 0
    cdef int room
    cdef bint changed = False
    cdef double least_amount = LEAST_AMOUNT_CONVERGED
    _find_driving_forces(system, phases)
    memset(system.is_stable, 0, system.phases * sizeof(int))
    memset(system.is_removed, 0, system.phases * sizeof(int))
    memset(system.is_added, 0, system.phases * sizeof(int))
    if system.stable_phases > system.most_stable:
        least_amount = LEAST_AMOUNT_OF_TOO_MANY
    for number in range(system.stable_phases):
        place = system.stable[number]
        system.is_stable[place] = 1
        if system.amounts[place] < least_amount:
            system.is_removed[place] = 1
            removed += 1
    for place in range(system.phases):
        if (
            system.metastable_iterations[place] >= ITERATIONS_BEFORE_ADDING
            and system.driving_forces[place] > LEAST_DRIVING_FORCE
            and system.removals[place] < MOST_REMOVALS
            and not system.is_stable[place]
        ):
            system.is_added[place] = 1
            added += 1
    if added > 0:
        room = system.most_stable + removed - system.stable_phases
        if room < 1:
            # Make room: of the phases that stay, remove the one that has been removed least often.
            least = -1
            for place in range(system.phases):
                if system.is_stable[place] and not system.is_removed[place] and (
                    least < 0 or system.removals[place] < system.removals[least]
                ):
                    least = place
            if least < 0:
                return -1
            system.is_removed[least] = 1
            system.amounts[least] = 0
        least = -1
        for place in range(system.phases):
            if system.is_added[place] and (
                least < 0 or system.driving_forces[place] < system.driving_forces[least]
            ):
                least = place
        memset(system.is_added, 0, system.phases * sizeof(int))
        system.is_added[least] = 1
    for place in range(system.phases):
        if (system.is_stable[place] and not system.is_removed[place]) or system.is_added[place]:
            changed = changed or not system.is_stable[place]
            system.stable[kept] = place
            kept += 1
            if system.amounts[place] < AMOUNT_OF_NEW_PHASE:
                system.amounts[place] = AMOUNT_OF_NEW_PHASE
        else:
            if system.is_stable[place]:
                system.removals[place] += 1
                changed = True
            system.amounts[place] = 0
    system.stable_phases = kept
    return changed


cdef void _count_metastable(System* system) noexcept nogil:
    cdef int place, number = 0
    for place in range(system.phases):
        if number < system.stable_phases and system.stable[number] == place:
            system.metastable_iterations[place] = 0
            number += 1
        else:
            system.metastable_iterations[place] += 1


cdef Outcome _iterate(System* system, Phase* phases, int most_iterations, int* iterations) noexcept nogil:
    # pycalphad's ``SystemSpecification.run_loop``.
    cdef int iteration, change
    cdef bint changed, converged = False
    cdef double step
    for iteration in range(most_iterations):
        iterations[0] = iteration + 1
        if not _calculate(system, phases):
            return DIVISION_BY_ZERO
        if not _solve_equilibrium_system(system, phases):
            return PHASE_RULE_VIOLATED
        changed = (
            system.iterations_since_change >= ITERATIONS_BEFORE_REMOVAL
            and _remove_and_consolidate(system, phases)
        )
        converged = (
            system.largest_amount_change < LARGEST_AMOUNT_CHANGE
            and system.largest_site_change < LARGEST_SITE_CHANGE
            and system.residual < system.allowed_residual
            and system.iterations_since_change >= ITERATIONS_BEFORE_CONVERGENCE
        )
        if converged:
            if not changed:
                change = _change_phases(system, phases)
                if change < 0:
                    return NOTHING_TO_REMOVE
                changed = change > 0
            if not changed:
                break
        _count_metastable(system)
        if changed:
            system.iterations_since_change = 0
        else:
            system.iterations_since_change += 1
            # Short steps at first, so that the start does not change much.
            step = 1.0 * (iteration + 1) / ITERATIONS_OF_RAMP
            _step(system, phases, step if step < 1.0 else 1.0)
    if system.stable_phases > system.most_stable:
        return NOT_CONVERGED
    return CONVERGED if converged else NOT_CONVERGED


cdef inline double* _take(double** free_space, size_t number) noexcept:
    cdef double* taken = free_space[0]
    free_space[0] = taken + number
    return taken


cdef inline int* _take_integers(int** free_space, size_t number) noexcept:
    cdef int* taken = free_space[0]
    free_space[0] = taken + number
    return taken


cdef void _place_system(
    System* system, int phases, int most_rows, double** space, int** integers
) noexcept:
    # Give the system its part of the allocated space, and its state at the start.
    system.phases, system.stable_phases, system.iterations_since_change = phases, 0, 0
    system.amount, system.residual = 0, FIRST_RESIDUAL
    system.largest_amount_change = system.largest_site_change = 0
    system.amounts = _take(space, phases)
    system.driving_forces = _take(space, phases)
    system.potentials = _take(space, system.components)
    system.mole_fractions = _take(space, system.components)
    system.matrix = _take(space, most_rows * (system.components + phases))
    system.solution = _take(space, most_rows)
    system.singular_values = _take(space, most_rows)
    system.work = _take(space, _work_size(most_rows))
    system.stable = _take_integers(integers, phases)
    system.metastable_iterations = _take_integers(integers, phases)
    system.removals = _take_integers(integers, phases)
    system.is_stable = _take_integers(integers, phases)
    system.is_removed = _take_integers(integers, phases)
    system.is_added = _take_integers(integers, phases)
    system.integer_work = _take_integers(integers, 64 * most_rows)
    memset(system.potentials, 0, system.components * sizeof(double))
    memset(system.metastable_iterations, 0, phases * sizeof(int))
    memset(system.removals, 0, phases * sizeof(int))


cdef void _start(System* system, int place, Phase* phase, CompositionSet composition_set):
    # Take over a composition set, as ``SystemState`` does.
    cdef int parameter
    memcpy(phase.at, &composition_set.dof[0], phase.variables * sizeof(double))
    for parameter in range(<int>composition_set.phase_record.parameters.shape[0]):
        phase.at[phase.variables + parameter] = composition_set.phase_record.parameters[parameter]
    system.amounts[place] = composition_set.NP
    if composition_set.NP > 0:
        system.stable[system.stable_phases] = place
        system.stable_phases += 1


cdef bint _to_formula_units(System* system, int place, Phase* phase) noexcept nogil:
    # Turn the amount of a phase from moles of atoms into formula units; false if it would divide by zero.
    cdef int component
    cdef double value, total = 0
    for component in range(system.components):
        value = 0
        _call(&phase.moles_of[component], &value, phase.at)
        total += value
    if total == 0:
        return False
    system.amounts[place] /= total
    return True


cdef void _finish(System* system, Phase* phase, CompositionSet composition_set):
    # Update a composition set to what was calculated last, as ``CompositionSet.update`` does.
    cdef int component
    memcpy(phase.at, phase.calculated_at, phase.variables * sizeof(double))
    memcpy(&composition_set.dof[0], phase.at, phase.variables * sizeof(double))
    composition_set.fixed = False
    composition_set.NP = phase.calculated_amount
    composition_set.energy = 0
    _call(&phase.molar_energy_of, &composition_set.energy, phase.at)
    for component in range(system.components):
        composition_set.X[component] = 0
        _call(&phase.molar_amount_of[component], &composition_set.X[component], phase.at)


cdef size_t _phase_numbers(_Functions functions, int components, int state_variables) noexcept:
    # How many numbers ``_place_phase`` takes.
    cdef size_t sites = functions.sites, constraints = functions.constraints
    cdef size_t variables = state_variables + sites, rows = sites + constraints
    return (
        functions.parameters + 5 * variables + variables * variables
        + components * (1 + variables + sites)
        + constraints * (1 + variables) + rows * rows + rows + sites * (2 + state_variables)
    )


cdef void _place_phase(
    Phase* phase, _Functions functions, int components, int state_variables, double** space, int** integers
) noexcept:
    cdef int sites = functions.sites, constraints = functions.constraints
    cdef int variables = state_variables + sites, rows = sites + constraints
    phase.energy_of, phase.gradient_of = functions.energy, functions.gradient
    phase.hessian_of, phase.molar_energy_of = functions.hessian, functions.molar_energy
    phase.constraint_of = functions.constraint
    phase.constraint_jacobian_of = functions.constraint_jacobian
    phase.moles_of, phase.moles_gradient_of = functions.moles, functions.moles_gradient
    phase.molar_amount_of = functions.molar_amount
    phase.name = functions.name
    phase.sites, phase.constraints, phase.variables, phase.rows = sites, constraints, variables, rows
    phase.calculated = False
    phase.at = _take(space, variables + functions.parameters)
    phase.calculated_at = _take(space, variables)
    phase.stepped = _take(space, variables)
    phase.total_moles_gradient = _take(space, variables)
    phase.gradient = _take(space, variables)
    phase.hessian = _take(space, variables * variables)
    phase.moles = _take(space, components)
    phase.moles_gradient = _take(space, components * variables)
    phase.response_potential = _take(space, components * sites)
    phase.constraint = _take(space, constraints)
    phase.constraint_jacobian = _take(space, constraints * variables)
    phase.inverse = _take(space, rows * rows)
    phase.inversion_work = _take(space, rows)
    phase.response_energy = _take(space, sites)
    phase.site_step = _take(space, sites)
    phase.response_state = _take(space, sites * state_variables)
    phase.pivots = _take_integers(integers, rows)
    memset(phase.constraint_jacobian, 0, constraints * variables * sizeof(double))


cdef class CompiledSolver:
    """Solves for equilibria of systems with the same description.

    Args:
        specification: pycalphad's description of the system.

    Attributes:
        calls: number of solutions so far.
        iterations: number of all their iterations.

    Raises:
        NotCovered: if it has conditions other than N, P, T and mole fractions, or a fixed phase.
    """

    cdef readonly long calls, iterations
    cdef System _description
    cdef dict _functions, _names
    cdef double[:, ::1] _coefficients
    cdef double[::1] _prescribed

    def __init__(self, SystemSpecification specification not None):
        if type(specification) is not SystemSpecification:
            raise NotCovered("a specification of another class")
        if (
            specification.free_statevar_indices.shape[0] or specification.fixed_stable_compset_indices.shape[0]
            or specification.fixed_chemical_potential_indices.shape[0]
        ):
            raise NotCovered("free state variables, fixed phases or fixed chemical potentials")
        state = specification.__getstate__()
        coefficients, prescribed = np.ascontiguousarray(state[4]), np.ascontiguousarray(state[5])
        if len(prescribed) == 0:
            raise NotCovered("no mole fraction is prescribed")
        ones = np.count_nonzero(coefficients == 1.0, axis=1), np.count_nonzero(coefficients == 0.0, axis=1)
        if not (np.all(ones[0] == 1) and np.all(ones[1] == coefficients.shape[1] - 1)):
            raise NotCovered("conditions other than mole fractions")
        if coefficients.shape != (len(prescribed), specification.num_components):
            raise NotCovered("conditions of another shape")
        self._coefficients, self._prescribed = coefficients, prescribed
        self._functions, self._names = {}, {}
        memset(&self._description, 0, sizeof(System))
        self._description.state_variables = specification.num_statevars
        self._description.components = specification.num_components
        self._description.conditions = len(prescribed)
        self._description.most_stable = specification.max_num_free_stable_phases
        self._description.prescribed_amount = specification.prescribed_system_amount
        self._description.allowed_residual = specification.ALLOWED_MASS_RESIDUAL
        self._description.coefficients = &self._coefficients[0, 0]
        self._description.prescribed = &self._prescribed[0]

    cdef _Functions _covered(self, CompositionSet composition_set):
        # The functions of a composition set, once it is known that the kernel covers it.
        cdef PhaseRecord record = composition_set.phase_record
        cdef _Functions functions
        key = <size_t><void*>record
        functions = self._functions.get(key)
        if functions is None:
            if record.num_statevars != self._description.state_variables:
                raise NotCovered("other state variables")
            if len(record.nonvacant_elements) != self._description.components:
                raise NotCovered("other components")
            name = self._names.setdefault(record.phase_name, len(self._names))
            functions = self._functions[key] = _Functions(record, self._description.components, name)
        if composition_set.num_phase_local_conditions:
            raise NotCovered("conditions of a single phase")
        if composition_set.dof.shape[0] != self._description.state_variables + functions.sites:
            raise NotCovered("other site fractions")
        if functions.parameters != record.parameters.shape[0]:
            raise NotCovered("another number of parameters")
        return functions

    def solve(self, list composition_sets not None, int most_iterations):
        """Solve for the equilibrium of some composition sets, as ``SystemSpecification.run_loop`` does.

        Args:
            composition_sets: where to start; updated in place.
            most_iterations: number of iterations without convergence after which to end.

        Returns:
            whether it has converged, and the chemical potentials, J/mol, shape (components,).

        Raises:
            NotCovered: if pycalphad would raise an exception, or takes something into account that the
                kernel does not know. The composition sets are as they were.
        """
        cdef System system = self._description
        cdef int place, iterations = 0
        cdef int number = len(composition_sets), components = system.components
        # As many rows as stable phases and conditions, and one for the amount of the system.
        cdef int most_rows = number + system.conditions + 1
        cdef size_t numbers = 2 * number + 2 * components + most_rows * (components + number)
        # dgelsd takes 11 N + 3 N log2(N / 26) integers at most.
        cdef size_t integers = 6 * number + 64 * most_rows
        cdef char* allocated
        cdef Phase* phases
        cdef double* space
        cdef int* integer_space
        cdef Outcome outcome
        cdef _Functions functions
        cdef list used = [self._covered(composition_set) for composition_set in composition_sets]
        numbers += 2 * most_rows + _work_size(most_rows)
        for functions in used:
            numbers += _phase_numbers(functions, components, system.state_variables)
            integers += functions.sites + functions.constraints
        allocated = <char*>malloc(number * sizeof(Phase) + numbers * sizeof(double) + integers * sizeof(int))
        if allocated == NULL:
            raise MemoryError
        try:
            phases = <Phase*>allocated
            space = <double*>(allocated + number * sizeof(Phase))
            integer_space = <int*>(space + numbers)
            _place_system(&system, number, most_rows, &space, &integer_space)
            for place in range(number):
                functions = used[place]
                _place_phase(
                    &phases[place], functions, components, system.state_variables, &space, &integer_space
                )
            if space != <double*>(allocated + number * sizeof(Phase)) + numbers:
                raise AssertionError("other numbers than were allocated")
            if integer_space != <int*>space + integers:
                raise AssertionError("other integers than were allocated")
            for place in range(number):
                _start(&system, place, &phases[place], <CompositionSet>composition_sets[place])
                if not _to_formula_units(&system, place, &phases[place]):
                    raise NotCovered("a phase without atoms")
            outcome = _iterate(&system, phases, most_iterations, &iterations)
            self.calls += 1
            self.iterations += iterations
            if outcome != CONVERGED and outcome != NOT_CONVERGED:
                raise NotCovered(FAILURES[outcome])
            for place in range(number):
                _finish(&system, &phases[place], <CompositionSet>composition_sets[place])
            potentials = np.empty(components)
            for place in range(components):
                potentials[place] = system.potentials[place]
            return outcome == CONVERGED, potentials
        finally:
            free(allocated)
