"""What is measured is the evaluation of walkers that can be evaluated, in CPU seconds."""

import time

import numpy as np
import numpy.typing as npt
import pytest

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.forecast.measure import measure
from espei_hpc.likelihood import Evaluated

FloatArray = npt.NDArray[np.float64]


def work(seconds: float) -> float:
    """Keep a core busy for so many CPU seconds; return the wall seconds that it took."""
    begin, cpu = time.perf_counter(), time.process_time()
    while time.process_time() - cpu < seconds:
        pass
    return time.perf_counter() - begin


def evaluate(parameters: FloatArray) -> Evaluated:
    """Three units, the second as long as the others together; parameters say how long altogether."""
    if parameters[0] < 0:
        return Evaluated(prior=-np.inf)
    seconds = float(parameters[0])
    return Evaluated(0.0, seconds={7: work(seconds / 4), 3: work(seconds / 2), 5: work(seconds / 4)})


def test_evaluation_spread_and_units_are_those_of_the_starting_walkers() -> None:
    starts = np.array([[0.02], [0.03], [0.04]])
    measured = measure(evaluate, np.array([0.1]), starts)
    assert measured.walkers == 3
    # The initial guess only warms up.
    assert measured.evaluation == pytest.approx(0.03, rel=0.3)
    assert measured.spread == pytest.approx(0.27, abs=0.15)
    assert sorted(measured.units) == [3, 5, 7]
    assert sum(measured.units.values()) == pytest.approx(measured.evaluation)
    assert measured.units[3] == pytest.approx(measured.evaluation / 2, rel=0.4)


def test_time_spent_waiting_does_not_count() -> None:
    def waits(parameters: FloatArray) -> Evaluated:
        begin = time.perf_counter()
        work(0.02)
        time.sleep(0.2)
        return Evaluated(0.0, seconds={0: time.perf_counter() - begin})

    measured = measure(waits, np.zeros(1), np.zeros((3, 1)))
    assert measured.evaluation < 0.15
    assert measured.waited > 2


def test_walkers_outside_the_prior_do_not_count() -> None:
    measured = measure(evaluate, np.array([0.02]), np.array([[-1.0], [0.02], [-1.0], [0.02]]))
    assert measured.walkers == 2
    assert measured.evaluation == pytest.approx(0.02, rel=0.3)


def test_without_a_walker_that_can_be_evaluated_there_is_no_plan() -> None:
    with pytest.raises(Refusal, match="no starting walker") as refused:
        measure(evaluate, np.array([0.01]), np.full((4, 1), -1.0))
    assert refused.value.code == ExitCode.BAD_INPUT
    assert refused.value.faults[0].cure
