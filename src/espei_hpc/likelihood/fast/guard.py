"""A unit that is evaluated by its plan as long as the plan agrees with ESPEI's own functions.

The first evaluation is ESPEI's, and the plan is built with it. The next few, at the positions of
different walkers, and then one in every ``verify`` evaluations are done both ways; ESPEI's result is
used. The first difference ends the plan.
"""

import time
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from espei_hpc.likelihood.fast import Shared
from espei_hpc.likelihood.results import Difference, Failure, UnitResult
from espei_hpc.likelihood.units import Evaluate, Unit
from espei_hpc.likelihood.upstream.pycalphad import Left, NotPrepared

FloatArray = npt.NDArray[np.float64]

COMPARED_FIRST = 3
"""Number of initial evaluations of a unit that are all compared, each at different parameters."""
WARM_UP = 1 + COMPARED_FIRST
"""Evaluations that take longer than the others."""


class GuardedResult(NamedTuple):
    """One evaluation of a unit.

    Attributes:
        result: the result.
        seconds: its wall time, without the comparison.
        note: the unit, and why ESPEI's own functions evaluate it from now on; None if nothing changed.
        difference: a difference found after evaluations that were not compared.
        preparing: whether it was one of the first evaluations, which take longer than the others.
    """

    result: UnitResult
    seconds: float
    note: tuple[str, str] | None = None
    difference: Difference | None = None
    preparing: bool = False


class Guarded:
    """A unit with its plan, which is compared with ESPEI's own functions.

    Args:
        unit: the unit.
        shared: data shared by all plans.
        verify: one evaluation in this many is compared; 0 for no plan.
        first: number of evaluations before the first comparison, so that not all units are compared at once.
    """

    def __init__(self, unit: Unit, shared: Shared, verify: int, first: int = 0) -> None:
        self._unit = unit
        self._shared = shared
        self._verify = verify
        self._left = first
        self._compared = 0
        self._slow = 0
        """Number of evaluations by ESPEI's own functions, for comparison or to build the plan."""
        self._trusted = 0
        """Number of evaluations that were not compared."""
        self._plan: Evaluate | None = None
        self._open = verify > 0 and unit.prepare is not None

    def __call__(self, parameters: FloatArray) -> GuardedResult:
        """Evaluate it; an exception is part of the result."""
        if not self._open:
            return GuardedResult(*evaluated(self._unit.evaluate, parameters))
        if self._compared < COMPARED_FIRST or self._left <= 0:
            self._slow += 1
            return self._compare(parameters)._replace(preparing=self._slow <= WARM_UP)
        assert self._plan is not None  # noqa: S101 (the first comparisons have built it)
        self._left -= 1
        begin = time.perf_counter()
        try:
            result = self._plan(parameters)
        except Left:
            return GuardedResult(*evaluated(self._unit.evaluate, parameters))
        except Exception as error:
            return self._failed(error, *evaluated(self._unit.evaluate, parameters))
        self._trusted += 1
        return GuardedResult(result, time.perf_counter() - begin)

    def _compare(self, parameters: FloatArray) -> GuardedResult:
        """Evaluate both ways if there is a plan; otherwise build it.

        The plan is evaluated first: it then finds the shared records as its last evaluation left them,
        as without a comparison. Only building it needs the records as ESPEI's own functions leave them.
        """
        planned = self._attempt(self._plan, parameters) if self._plan else None
        stock, seconds = evaluated(self._unit.evaluate, parameters)
        if planned is None:
            return self._make(parameters, stock, seconds)
        if isinstance(planned, Left):
            return GuardedResult(stock, seconds)
        if isinstance(planned, Exception):
            return self._failed(planned, stock, seconds)
        result, taken = planned
        # Compared as text: equal only if all digits are equal, and NaN equals NaN.
        if repr(result) != repr(stock):
            return self._differs(parameters, result, stock, seconds)
        self._compared += 1
        if self._left <= 0:
            self._left = self._verify - 1
        return GuardedResult(stock, taken)

    def _make(self, parameters: FloatArray, stock: UnitResult, seconds: float) -> GuardedResult:
        assert self._unit.prepare is not None  # noqa: S101 (or it would not be open)
        try:
            self._plan = self._unit.prepare(parameters, self._shared)
        except NotPrepared as reason:
            return self._given_up(str(reason), stock, seconds)
        except Exception as error:
            return self._failed(error, stock, seconds)
        return GuardedResult(stock, seconds)

    @staticmethod
    def _attempt(plan: Evaluate, parameters: FloatArray) -> tuple[UnitResult, float] | Exception:
        """Return the plan's result and its seconds, or its exception."""
        begin = time.perf_counter()
        try:
            return plan(parameters), time.perf_counter() - begin
        except Exception as error:
            return error

    def _failed(self, error: Exception, stock: UnitResult, seconds: float) -> GuardedResult:
        """Handle an exception of the plan; if ESPEI raises one too, the parameters are the cause."""
        if stock.failure is not None:
            return GuardedResult(stock, seconds)
        return self._given_up(f"{type(error).__name__}: {error}", stock, seconds)

    def _differs(
        self, parameters: FloatArray, planned: UnitResult, stock: UnitResult, seconds: float
    ) -> GuardedResult:
        outcome = self._given_up("its prepared result differs", stock, seconds)
        if not self._trusted:
            return outcome
        difference = Difference(self._unit.name, tuple(parameters.tolist()), repr(stock), repr(planned))
        return outcome._replace(difference=difference)

    def _given_up(self, why: str, stock: UnitResult, seconds: float) -> GuardedResult:
        self._open, self._plan = False, None
        return GuardedResult(stock, seconds, (self._unit.name, why))


def evaluated(evaluate: Evaluate, parameters: FloatArray) -> tuple[UnitResult, float]:
    """Return the result of a unit and its seconds; an exception is part of the result."""
    begin = time.perf_counter()
    try:
        result = evaluate(parameters)
    except Exception as error:
        result = UnitResult(failure=Failure.of(error))
    return result, time.perf_counter() - begin
