"""Equilibrium properties, prepared: ``calc_prop_differences`` for one dataset."""

from typing import Any

import numpy as np
import numpy.typing as npt
from pycalphad import Workspace

from espei_hpc.likelihood.fast.shared import Shared
from espei_hpc.likelihood.results import UnitResult
from espei_hpc.likelihood.upstream import espei as upstream
from espei_hpc.likelihood.upstream.pycalphad import MolarProperty, NotPrepared, PointEquilibrium, points

FloatArray = npt.NDArray[np.float64]


class PropertiesPlan:
    """A property of the equilibrium at each point of a dataset, minus the measured value.

    Args:
        dataset: ESPEI's dataset.
        parameters: parameters to build it with, shape (parameters,).
        shared: data shared by all plans.

    Raises:
        NotPrepared: if one of its equilibria, or its property, cannot be prepared.
    """

    def __init__(self, dataset: Any, parameters: FloatArray, shared: Shared) -> None:
        self._measured = upstream.measured(dataset)
        self._property = MolarProperty(self._measured.output)
        self._factory = shared.factory(self._measured.factory, self._measured.symbols)
        self._equilibria: list[PointEquilibrium] = []

        def prepare(workspace: Workspace) -> None:
            if workspace.phase_record_factory is not self._measured.factory:
                raise NotPrepared("it has several phase record factories")
            for point in points(workspace):
                self._equilibria.append(PointEquilibrium(workspace, self._factory, shared.grids, point))

        upstream.property_workspaces(dataset, parameters, prepare)

    def __call__(self, parameters: FloatArray) -> UnitResult:
        """Evaluate it."""
        self._factory.apply(parameters)
        calculated = []
        for equilibrium in self._equilibria:
            equilibrium.solve()
            calculated.append(self._property.of(equilibrium.stable()))
        differences = np.array(calculated, dtype=np.float64) - self._measured.values
        if not np.all(np.isfinite(differences)):
            return UnitResult(short_circuited=True)
        return UnitResult(tuple(differences.tolist()), self._measured.deviations)
