"""The likelihood in a worker."""

import platform
import warnings
from collections.abc import Iterable
from importlib.metadata import version

import numpy as np
import numpy.typing as npt

from espei_hpc.likelihood.fast import Shared
from espei_hpc.likelihood.fast.guard import Guarded
from espei_hpc.likelihood.recipe import Built, LikelihoodRecipe
from espei_hpc.likelihood.results import Description, Evaluated, Residual
from espei_hpc.likelihood.units import Unit, split
from espei_hpc.likelihood.upstream import espei as upstream

FloatArray = npt.NDArray[np.float64]

PACKAGES = ("numpy", "scipy", "symengine")
"""Packages that decide over last digits, besides those whose releases we know."""


class Evaluator:
    """Evaluates ESPEI's log-probability, all of it or some of its units.

    Args:
        packed: a packed recipe; ESPEI's context is built from it, which takes seconds.

    Attributes:
        description: what there is to evaluate.
    """

    description: Description

    def __init__(self, packed: bytes) -> None:
        recipe = LikelihoodRecipe.unpacked(packed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # read already when the input was checked
            built = recipe.build()
        self._priors = recipe.priors
        units, self.description = _describe(built)
        self._units = _guarded(units, recipe.verify)
        self._residual_of = {
            unit: position
            for position, residual in enumerate(self.description.residuals)
            for unit in residual.units
        }

    def __call__(self, parameters: FloatArray, units: tuple[int, ...] | None = None) -> Evaluated:
        """Evaluate units.

        Args:
            parameters: a value for each symbol, shape (parameters,).
            units: numbers of the units to evaluate; None for all.

        Returns:
            what :func:`espei_hpc.likelihood.combine` needs. An exception of a unit is part of it.

        Raises:
            Exception: whatever a prior raises.
        """
        parameters = np.asarray(parameters, dtype=np.float64)
        with warnings.catch_warnings():
            # Parameters far off make numpy warn at every turn; the value says it all.
            warnings.simplefilter("ignore")
            # Fewer priors than parameters are what ESPEI makes of a prior without logpdf.
            pairs = zip(self._priors, parameters, strict=False)
            evaluated = Evaluated(float(np.sum([prior.logpdf(value) for prior, value in pairs])))
            if not np.isneginf(evaluated.prior):
                self._evaluate(parameters, range(len(self._units)) if units is None else units, evaluated)
        return evaluated

    def _evaluate(self, parameters: FloatArray, units: Iterable[int], evaluated: Evaluated) -> None:
        stopped: set[int] = set()
        for number in sorted(units):
            residual = self._residual_of[number]
            if residual in stopped:
                continue
            outcome = self._units[number](parameters)
            evaluated.results[number], evaluated.seconds[number] = outcome.result, outcome.seconds
            evaluated.notes.extend(filter(None, [outcome.note]))
            evaluated.differences.extend(filter(None, [outcome.difference]))
            evaluated.preparing.extend([number] if outcome.preparing else [])
            if outcome.result.stops:
                stopped.add(residual)


def _guarded(units: list[Unit], verify: int) -> list[Guarded]:
    shared = Shared()
    return [
        # One after the other, not all in the same evaluation.
        Guarded(unit, shared, verify, first=place * verify // len(units))
        for place, unit in enumerate(units)
    ]


def _describe(built: Built) -> tuple[list[Unit], Description]:
    """Take the residuals apart; return their units in order, and the description."""
    known = upstream.known()
    units: list[Unit] = []
    residuals: list[Residual] = []
    for residual in built.residuals:
        kind, found = split(residual, known)
        numbers = tuple(range(len(units), len(units) + len(found)))
        weight = float(residual.weight) if kind.weighted else 1.0
        residuals.append(Residual(type(residual).__name__, kind, weight, numbers))
        units += found
    return units, Description(
        symbols=built.symbols,
        initial=built.initial,
        residuals=tuple(residuals),
        units=tuple(unit.name for unit in units),
        environment=(*_environment(), ("database", built.values)),
        note="" if known else _unknown(),
    )


def _environment() -> tuple[tuple[str, str], ...]:
    releases = upstream.versions() | {package: version(package) for package in PACKAGES}
    # The order of terms in sums depends on the hash seed; its own value cannot be read where it is random.
    return (("python", platform.python_version()), *sorted(releases.items()), ("hash", str(hash("espei"))))


def _unknown() -> str:
    here = upstream.versions()
    other = [
        f"{name} {here[name]} (not {known})" for name, known in upstream.KNOWN.items() if here[name] != known
    ]
    return "residuals are evaluated whole, on one worker each: not known to be separable with " + ", ".join(
        other
    )
