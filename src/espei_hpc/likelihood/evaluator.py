"""The likelihood in a worker."""

import platform
import warnings
from collections.abc import Iterable
from importlib.metadata import version

import numpy as np
import numpy.typing as npt

from espei_hpc.likelihood import compiled
from espei_hpc.likelihood.fast import Shared
from espei_hpc.likelihood.fast.guard import Guarded
from espei_hpc.likelihood.recipe import Built, LikelihoodRecipe
from espei_hpc.likelihood.results import Description, Evaluated, Residual
from espei_hpc.likelihood.units import Unit, split
from espei_hpc.likelihood.upstream import espei as upstream

FloatArray = npt.NDArray[np.float64]

PACKAGES = ("numpy", "scipy", "symengine")
"""Packages that affect the last digits, in addition to those whose releases are checked."""


class Evaluator:
    """Evaluates ESPEI's log-probability, all of it or some of its units.

    Args:
        packed: a packed recipe; building ESPEI's context from it takes seconds.

    Attributes:
        description: the residuals and units.
    """

    description: Description

    def __init__(self, packed: bytes) -> None:
        recipe = LikelihoodRecipe.unpacked(packed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the input has been checked before
            built = recipe.build()
        self._priors = recipe.priors
        units, self.description = _describe(built, prepared=recipe.verify > 0)
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
            the input of :func:`espei_hpc.likelihood.combine`, including exceptions of units.

        Raises:
            Exception: any exception of a prior.
        """
        parameters = np.asarray(parameters, dtype=np.float64)
        with warnings.catch_warnings():
            # Unreasonable parameters cause many numpy warnings; the value is enough.
            warnings.simplefilter("ignore")
            # ESPEI drops priors without logpdf, so there may be fewer priors than parameters.
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
        # Staggered, so that not all units are compared in the same evaluation.
        Guarded(unit, shared, verify, first=place * verify // len(units))
        for place, unit in enumerate(units)
    ]


def _describe(built: Built, prepared: bool) -> tuple[list[Unit], Description]:
    """Split the residuals into units; return the units in order, and the description."""
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
        note=_note(known, prepared),
    )


def _environment() -> tuple[tuple[str, str], ...]:
    releases = upstream.versions() | {package: version(package) for package in PACKAGES}
    # The order of terms in sums depends on the hash seed, whose value is not available if it is random.
    return (("python", platform.python_version()), *sorted(releases.items()), ("hash", str(hash("espei"))))


def _note(known: bool, prepared: bool) -> str:
    if not known:
        return _unknown()
    if prepared and (reason := compiled.missing()):
        return f"no compiled solver, pycalphad's own does the same in more time: {reason}"
    return ""


def _unknown() -> str:
    here = upstream.versions()
    other = [
        f"{name} {here[name]} (not {known})" for name, known in upstream.KNOWN.items() if here[name] != known
    ]
    return "each residual is evaluated on one worker, not in pieces: unsupported release " + ", ".join(other)
