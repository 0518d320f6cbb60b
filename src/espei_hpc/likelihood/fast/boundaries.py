"""Driving forces of a phase region, prepared: ``calculate_zpf_driving_forces`` for one region."""

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from espei_hpc.likelihood.fast.shared import Shared
from espei_hpc.likelihood.results import UnitResult
from espei_hpc.likelihood.upstream import espei as upstream
from espei_hpc.likelihood.upstream.pycalphad import (
    Energies,
    Factory,
    KeptSolver,
    NotPrepared,
    PointEquilibrium,
    property_of,
)

FloatArray = npt.NDArray[np.float64]
Force = Callable[[FloatArray], float]
"""A vertex's driving force, J/mol, from the hyperplane's chemical potentials."""


class BoundaryPlan:
    """The driving forces of one phase region.

    Args:
        region: the region.
        parameters: parameters to build it with, shape (parameters,).
        shared: data shared by all plans.

    Raises:
        NotPrepared: if its hyperplane or a vertex cannot be prepared.
    """

    def __init__(self, region: upstream.Region, parameters: FloatArray, shared: Shared) -> None:
        known = upstream.boundary(region)
        if known is None:
            raise NotPrepared("its vertices have several phase record factories")
        self._region = known
        self._weight = float(region.data["weight"])
        self._factory = shared.factory(self._region.factory, self._region.symbols)
        hyperplane = [
            upstream.hyperplane_workspace(self._region, vertex, parameters)
            for vertex in self._region.hyperplane_vertices
        ]
        self._hyperplane = [PointEquilibrium(one, self._factory, shared.grids) for one in hyperplane]
        elements = self._factory.elements
        self._places = [elements.index(element) for element in self._region.elements]
        self._forces = [self._force(vertex, parameters, shared) for vertex in self._region.vertices]

    def __call__(self, parameters: FloatArray) -> UnitResult:
        """Evaluate it.

        Raises:
            Left: if the calculation takes another path with these parameters.
        """
        self._factory.apply(parameters)
        weights = (self._weight,) * len(self._forces)
        hyperplane = self._potentials()
        if np.any(np.isnan(hyperplane)):
            return UnitResult((0.0,) * len(self._forces), weights)
        forces = []
        for force in self._forces:
            forces.append(force(hyperplane))
            if np.isinf(forces[-1]):
                return UnitResult(short_circuited=True)
        return UnitResult(tuple(map(float, forces)), weights)

    def _potentials(self) -> FloatArray:
        """Return the mean of the vertices' chemical potentials, J/mol (``estimate_hyperplane``)."""
        rows = []
        for equilibrium in self._hyperplane:
            equilibrium.solve()
            if equilibrium.stable_phases() == 1 and _stoichiometric(equilibrium.sites):
                # A stoichiometric phase alone leaves the potentials undetermined.
                rows.append([np.nan] * len(self._places))
            else:
                rows.append([equilibrium.potential(place) for place in self._places])
        # Without a vertex of known composition there are no rows, and the means are NaN.
        return np.array([_mean([row[place] for row in rows]) for place in range(len(self._places))])

    def _force(self, vertex: Any, parameters: FloatArray, shared: Shared) -> Force:
        if not (vertex.has_missing_comp_cond or vertex.is_disordered):
            return _Isolated(self._region, vertex, parameters, self._factory, shared)
        points = upstream.sampled(self._region, vertex, parameters)
        return _Sampled(points, vertex, self._factory, shared) if points else _none


def _stoichiometric(sites: FloatArray) -> bool:
    """Whether all site fractions are 1, as by ``np.isclose``, which takes ten times longer for so few."""
    return all(abs(site - 1.0) <= 1e-8 + 1e-5 or math.isnan(site) for site in sites.ravel().tolist())


def _mean(values: Sequence[float]) -> float:
    """Return the mean of numbers without NaN, with the bits of ``np.nanmean`` along the first axis."""
    known = [value for value in values if not math.isnan(value)]
    return functools.reduce(operator.add, known) / len(known) if known else np.nan


def _none(_: FloatArray) -> float:
    """Driving force of a disordered phase with only vacancies on a sublattice: in ESPEI it is 0."""
    return 0.0


class _Isolated:
    """The phase at its composition, alone (``IsolatedPhase``)."""

    def __init__(
        self,
        region: upstream.Boundary,
        vertex: Any,
        parameters: FloatArray,
        factory: Factory,
        shared: Shared,
    ) -> None:
        workspace = upstream.isolated_workspace(region, vertex, parameters)
        self._equilibrium = PointEquilibrium(workspace, factory, shared.grids)
        self._phase, self._composition = vertex.phase_name, vertex.composition
        self._solver = KeptSolver()

    def __call__(self, hyperplane: FloatArray) -> float:
        self._equilibrium.solve()
        alone = self._equilibrium.first(self._phase)
        self._solver.solve([alone], self._equilibrium.conditions)
        energy = np.float64(alone.NP * property_of(alone, b"GM"))
        return float(np.dot(np.squeeze(hyperplane), self._composition) - energy)


class _Sampled:
    """The largest driving force of sampled points of a phase, or that of its disordered point."""

    def __init__(self, points: upstream.SampledPoints, vertex: Any, factory: Factory, shared: Shared) -> None:
        self._largest = bool(vertex.has_missing_comp_cond)
        self._fractions, self._shape = points.fractions, points.shape
        record = factory.records[vertex.phase_name]
        sites = np.ascontiguousarray(points.sites[:, : record.phase_dof])
        self._energies: Energies = shared.grids.energies(factory, vertex.phase_name, points.state, sites)

    def __call__(self, hyperplane: FloatArray) -> float:
        energies = self._energies.values().reshape(self._shape)
        forces = np.multiply(hyperplane, self._fractions).sum(axis=-1) - energies
        return float(forces.max()) if self._largest else float(np.squeeze(forces))
