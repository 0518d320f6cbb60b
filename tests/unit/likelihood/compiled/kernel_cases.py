"""pycalphad's own functions beside the kernel, at each equilibrium that an evaluation asks for."""

import copy
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from espei_hpc.likelihood import compiled
from espei_hpc.likelihood.upstream import pycalphad as upstream

FloatArray = npt.NDArray[np.float64]
Bits = tuple[Any, ...]

_SOLVE_POINT = upstream.PointEquilibrium.solve
_ITERATE = upstream.KeptSolver.iterate


class Compared:
    """Points and solutions, made both ways.

    Attributes:
        happened: how many solutions, iterations, and of what kind.
        differences: what pycalphad made of a start, and what the kernel made of it.
    """

    def __init__(self) -> None:
        self.happened: Counter[str] = Counter()
        self.differences: list[tuple[Bits, Bits]] = []

    def point(self, point: Any) -> None:
        """Do as ``PointEquilibrium.solve``, both ways."""
        outcomes = []
        kept, solver = point._compiled, point._solver._compiled
        if kept is None:
            self.happened["points not covered"] += 1
        for point._compiled, point._solver._compiled in ((None, None), (kept, solver)):
            try:
                _SOLVE_POINT(point)
            except Exception as error:
                outcomes.append((type(error).__name__, str(error)))
            else:
                numbers = (point._amounts, point._potentials, point.sites)
                outcomes.append((point.phases.tolist(), *(_bits(array) for array in numbers)))
        self.happened["points"] += 1
        if outcomes[0] != outcomes[1]:
            self.differences.append((outcomes[0], outcomes[1]))
        if isinstance(outcomes[1][0], str):
            raise ArithmeticError(outcomes[1])

    def solve(self, kept: Any, composition_sets: list[Any]) -> tuple[bool, FloatArray]:
        """Do as ``KeptSolver.iterate``, both ways."""
        if kept._compiled is None:
            return _ITERATE(kept, composition_sets)
        theirs = copy.deepcopy(composition_sets)
        before = state(composition_sets)
        iterations = kept._compiled.iterations
        found = compiled.covered(kept._compiled.solve, composition_sets, upstream.MOST_ITERATIONS)
        iterations = kept._compiled.iterations - iterations
        if found is None:
            self.happened["not covered"] += 1
            if state(composition_sets) != before:
                self.differences.append((before, state(composition_sets)))
        try:
            converged, potentials, expected = pycalphads_own(kept._specification, theirs)
        except Exception:
            self.happened["failed"] += 1
            if found is not None:
                self.differences.append((("an exception",), state(composition_sets)))
            raise
        if found is None:
            return converged, potentials
        self._note(theirs, converged, iterations)
        ours = (found[0], iterations, found[1].tobytes(), *state(composition_sets))
        if ours != (converged, expected, potentials.tobytes(), *state(theirs)):
            self.differences.append(((converged, expected, *state(theirs)), ours))
        return found[0], found[1]

    def _note(self, composition_sets: list[Any], converged: bool, iterations: int) -> None:
        phases = [one.phase_record.phase_name for one in composition_sets]
        stable = [one.phase_record.phase_name for one in composition_sets if one.NP > 0]
        self.happened["solutions"] += 1
        self.happened["iterations"] += iterations
        self.happened["not converged"] += not converged
        self.happened["same phase twice"] += len(set(phases)) < len(phases)
        self.happened["several stable"] += len(stable) > 1
        self.happened["same phase stable twice"] += len(set(stable)) < len(stable)


def _bits(array: FloatArray) -> bytes:
    """Return all bits of numbers; those of NaN have no meaning."""
    return np.where(np.isnan(array), np.nan, array).tobytes()


def pycalphads_own(specification: Any, composition_sets: list[Any]) -> tuple[bool, FloatArray, int]:
    """Solve by pycalphad; return whether it has converged, the potentials and the iterations."""
    solution = specification.get_new_state(composition_sets)
    converged = bool(specification.run_loop(solution, upstream.MOST_ITERATIONS))
    return converged, np.array(solution.chemical_potentials), solution.iteration + 1


def state(composition_sets: list[Any]) -> Bits:
    """Return all numbers of composition sets."""
    return tuple(
        (np.array(one.dof).tobytes(), np.array(one.X).tobytes(), one.NP.hex(), one.energy.hex())
        for one in composition_sets
    )


@contextmanager
def compared() -> Iterator[Compared]:
    """Have all points and solutions of prepared evaluations made both ways."""
    record = Compared()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upstream.PointEquilibrium, "solve", lambda point: record.point(point))
        patch.setattr(upstream.KeptSolver, "iterate", lambda kept, sets: record.solve(kept, sets))
        yield record
