"""Properties of fixed configurations, prepared: one entry of a ``FixedConfigurationPropertyResidual``.

ESPEI calculates an equilibrium for each measured point, only to get a composition set; it then
replaces the site fractions by those of the configuration. So the composition sets never change.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from espei_hpc.likelihood.fast.shared import Shared
from espei_hpc.likelihood.results import UnitResult
from espei_hpc.likelihood.upstream import espei as upstream
from espei_hpc.likelihood.upstream.pycalphad import FICTITIOUS_ENERGY, Grid, Left, MolarProperty, state_of

FloatArray = npt.NDArray[np.float64]

FAR_BELOW = 0.1
"""Fraction of the fictitious points' energy below which mixtures of real points are always more stable."""


class ConfigurationsPlan:
    """Log-probability of one property of one phase.

    Args:
        residual: ESPEI's residual of the entry.
        entry: the entry.
        parameters: parameters to build it with, shape (parameters,).
        shared: data shared by all plans.

    Raises:
        NotPrepared: if its property cannot be prepared.
    """

    def __init__(self, residual: Any, entry: dict[str, Any], parameters: FloatArray, shared: Shared) -> None:
        self._property = MolarProperty(entry["output"])
        self._factory = shared.factory(entry["phase_record_factory"], upstream.symbols_of(residual))
        self._deviations = entry["weights"]
        samples = upstream.fixed_samples(residual, entry, parameters)
        self._samples = [(sample.composition_set, sample.value) for sample in samples]
        grids = [
            shared.grids.of(self._factory, sample.workspace, state_of(sample.workspace)) for sample in samples
        ]
        self._grids: dict[int, Grid] = {id(grid): grid for grid in grids}

    def __call__(self, parameters: FloatArray) -> UnitResult:
        """Evaluate it.

        Raises:
            Left: if ESPEI might not find the phase in its equilibrium.
        """
        self._factory.apply(parameters)
        for grid in self._grids.values():
            if not grid.largest() < FAR_BELOW * FICTITIOUS_ENERGY:
                raise Left("its energies are unreasonably high")
        differences = [self._property.of([one]) - value for one, value in self._samples]
        probabilities = norm.logpdf(np.array(differences), loc=0, scale=self._deviations)
        return UnitResult(
            (float(0.0 + np.sum(probabilities)),), deviations=in_deviations(differences, self._deviations)
        )


def in_deviations(differences: Sequence[float], deviations: Any) -> tuple[float, ...]:
    """Return differences in standard deviations.

    Args:
        differences: calculated minus measured values, in the property's unit, shape (values,).
        deviations: their standard deviations, as in ESPEI's entry.
    """
    return tuple(np.ravel(np.array(differences) / np.array(deviations)).tolist())
