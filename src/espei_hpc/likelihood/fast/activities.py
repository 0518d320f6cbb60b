"""Activities, prepared: ``calculate_activity_residuals`` for one dataset."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pycalphad import Workspace

from espei_hpc.likelihood.fast.shared import Shared
from espei_hpc.likelihood.results import UnitResult
from espei_hpc.likelihood.upstream import espei as upstream
from espei_hpc.likelihood.upstream.pycalphad import Factory, PointEquilibrium

FloatArray = npt.NDArray[np.float64]


class ActivityPlan:
    """Chemical potentials at the points of a dataset, less those that were measured.

    Args:
        residual: ESPEI's residual of the dataset.
        dataset: the dataset.
        parameters: parameters to build it with, shape (parameters,).
        shared: data shared by all plans.

    Raises:
        NotPrepared: if one of its equilibria cannot be prepared.
    """

    def __init__(
        self, residual: Any, dataset: Mapping[str, Any], parameters: FloatArray, shared: Shared
    ) -> None:
        asked = upstream.activities(residual, dataset, parameters, shared.workspaces)
        symbols = upstream.symbols_of(residual)
        self._measured, self._deviations = asked.measured, asked.deviations
        self._reference = _Potential(asked.reference, asked.element, symbols, shared)
        self._points = [_Potential(point, asked.element, symbols, shared) for point in asked.points]

    def __call__(self, parameters: FloatArray) -> UnitResult:
        """Evaluate it."""
        reference = self._reference(parameters)
        calculated = np.array([point(parameters) for point in self._points], dtype=np.float64)
        differences = calculated - (self._measured + reference)
        return UnitResult(tuple(differences.tolist()), self._deviations)


class _Potential:
    """The chemical potential of an element at one point."""

    def __init__(self, workspace: Workspace, element: str, symbols: tuple[str, ...], shared: Shared) -> None:
        self._factory: Factory = shared.factory(workspace.phase_record_factory, symbols)
        self._place = self._factory.elements.index(element)
        self._equilibrium = PointEquilibrium(workspace, self._factory, shared.grids)

    def __call__(self, parameters: FloatArray) -> float:
        self._factory.apply(parameters)
        self._equilibrium.solve()
        return self._equilibrium.potential(self._place)
