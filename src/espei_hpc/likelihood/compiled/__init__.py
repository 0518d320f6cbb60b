"""pycalphad's point equilibrium in compiled code (the kernel): optional, and equal bit for bit.

``solver.pyx`` has the solver's loop over composition sets, ``point.pyx`` what comes before it: the energies
of sampled points, the convex hull and the start. :func:`solver_for`, :func:`point_for` and
:func:`energies_for` return them for a system; None where there is no kernel, and pycalphad's own functions
do the same in more time. :func:`missing` says why.
"""

import os
import platform
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import Any

BUILT_FOR = "0.11.2"
"""The release of pycalphad whose solver the kernel repeats, and whose compiled classes it uses."""
MACHINES = ("x86_64", "AMD64")
"""Elsewhere compilers contract floating-point operations of pycalphad's, so the bits would differ."""
SWITCH = "ESPEI_HPC_COMPILED"
"""Environment variable that turns the kernel off if it is one of ``OFF``."""
OFF = ("0", "no")
"""The same values leave the kernel out of the package when it is built."""


@cache
def missing() -> str:
    """Return why there is no kernel; empty if there is one."""
    if (value := os.environ.get(SWITCH)) in OFF:
        return f"{SWITCH} is {value}"
    if platform.machine() not in MACHINES:
        return f"not for this processor ({platform.machine()})"
    if (release := version("pycalphad")) != BUILT_FOR:
        return f"made for pycalphad {BUILT_FOR}, not {release}"
    try:
        _module("solver")
        _module("point")
    except Exception as error:
        # ImportError if it was not built. If classes or functions that it was built with have changed, Cython
        # raises ValueError or TypeError.
        return " ".join(str(error).split())
    return ""


def solver_for(specification: Any) -> Any | None:
    """Return the compiled solver of a system; None if there is none, or if it does not cover the system.

    Args:
        specification: pycalphad's ``SystemSpecification``.
    """
    return _made("solver", "CompiledSolver", specification)


def point_for(*description: Any) -> Any | None:
    """Return the compiled equilibrium at a point; None if there is none, or if it does not cover it.

    Args:
        description: the arguments of ``CompiledPoint`` in ``point.pyx``.
    """
    return _made("point", "CompiledPoint", *description)


def energies_for(record: Any, variables: Any) -> Any | None:
    """Return the compiled energies of points; None if there are none.

    Args:
        record: pycalphad's phase record.
        variables: state variables and site fractions, shape (points, variables).
    """
    return _made("point", "CompiledEnergies", record, variables)


def _made(module: str, name: str, *given: Any) -> Any | None:
    return None if missing() else covered(getattr(_module(module), name), *given)


def covered(function: Callable[..., Any], *given: Any) -> Any | None:
    """Call a function of the kernel; None if the kernel does not cover the calculation."""
    try:
        return function(*given)
    except _module("solver").NotCovered:
        return None


def _module(name: str) -> Any:
    return import_module(f"espei_hpc.likelihood.compiled.{name}")
