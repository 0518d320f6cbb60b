"""pycalphad's solver in compiled code: optional, and equal bit for bit.

:func:`solver_for` returns it for a description of a system; None where there is none, and pycalphad's own
solver does the same, several times slower. :func:`missing` says why. All that the kernel uses of pycalphad
without a promise is in ``solver.pyx``, written for the release ``KNOWN`` of ``upstream.pycalphad``.
"""

import os
import platform
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import Any

BUILT_FOR = "0.11.2"
"""The release of pycalphad whose solver the kernel repeats, and whose compiled classes it uses."""
MACHINES = ("x86_64", "AMD64")
"""Elsewhere compilers contract floating-point operations of pycalphad's, so the bits would differ."""
SWITCH = "ESPEI_HPC_COMPILED"
"""Environment variable that turns the kernel off if it is 0."""


@cache
def missing() -> str:
    """Return why there is no kernel; empty if there is one."""
    if os.environ.get(SWITCH) == "0":
        return f"{SWITCH} is 0"
    if platform.machine() not in MACHINES:
        return f"not for this processor ({platform.machine()})"
    if (release := version("pycalphad")) != BUILT_FOR:
        return f"made for pycalphad {BUILT_FOR}, not {release}"
    try:
        _module()
    except ImportError as error:
        # Not built, or with another release of pycalphad, NumPy or SciPy.
        return " ".join(str(error).split())
    return ""


def solver_for(specification: Any) -> Any | None:
    """Return the compiled solver of a system; None if there is none, or if it does not cover the system.

    Args:
        specification: pycalphad's ``SystemSpecification``.
    """
    if missing():
        return None
    try:
        return _module().CompiledSolver(specification)
    except _module().NotCovered:
        return None


def solved(solver: Any, composition_sets: list[Any], most_iterations: int) -> tuple[bool, Any] | None:
    """Solve for an equilibrium, composition sets updated in place.

    Args:
        solver: from :func:`solver_for`.
        composition_sets: where to start.
        most_iterations: number of iterations after which to end.

    Returns:
        whether it has converged, and the chemical potentials, J/mol; None if the kernel does not cover it,
        the composition sets as they were.
    """
    try:
        found: tuple[bool, Any] = solver.solve(composition_sets, most_iterations)
    except _module().NotCovered:
        return None
    return found


def _module() -> Any:
    return import_module("espei_hpc.likelihood.compiled.solver")
