"""The maximum is found, also where rows jump, are constant or cannot be evaluated."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from espei_hpc.sampler import FloatArray
from espei_hpc.sampler.least_squares import Derivatives, NoStart, maximum

Rows = Callable[[FloatArray], FloatArray | None]


class Model:
    """Evaluates rows, and keeps how many points each wave had."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.waves: list[int] = []

    def __call__(self, points: Sequence[FloatArray]) -> list[FloatArray | None]:
        self.waves.append(len(points))
        return [self._rows(point) for point in points]


def anywhere(parameters: int) -> tuple[FloatArray, FloatArray]:
    return np.full(parameters, -np.inf), np.full(parameters, np.inf)


MATRIX = np.array([[1e-4, 2.0, 0.0], [3e-4, 1.0, 5.0], [0.0, 4.0, 1.0], [2e-4, 0.0, 3.0]])
"""Rows of parameters of very different size, as enthalpies and entropies are."""
BEST = np.array([-2e4, 3.0, 0.5])


def straight(point: FloatArray) -> FloatArray:
    rows: FloatArray = MATRIX @ (point - BEST)
    return rows


def test_straight_rows_are_solved_in_a_few_steps_with_one_wave_for_all_derivatives() -> None:
    model = Model(straight)
    found = maximum(np.array([-1e4, 1.0, 2.0]), *anywhere(3), model)
    assert found.converged
    assert found.parameters == pytest.approx(BEST, rel=1e-6)
    assert found.jacobian == pytest.approx(MATRIX, rel=1e-4, abs=1e-8)
    assert set(model.waves) <= {1, 3}
    assert sum(model.waves) <= 40


def test_curved_rows_are_solved() -> None:
    def rosenbrock(point: FloatArray) -> FloatArray:
        return np.array([10 * (point[1] - point[0] ** 2), 1 - point[0]])

    found = maximum(np.array([-1.2, 1.0]), *anywhere(2), Model(rosenbrock))
    assert found.parameters == pytest.approx([1, 1], abs=1e-3)


def test_best_within_bounds_is_on_the_bound_and_promises_nothing_beyond() -> None:
    lower, upper = np.array([-1.5e4, -np.inf, -np.inf]), np.full(3, np.inf)
    found = maximum(np.array([-1e4, 1.0, 2.0]), lower, upper, Model(straight))
    assert found.parameters[0] == pytest.approx(-1.5e4, rel=1e-3)
    assert found.promised < 1e-3


def test_smooth_maximum_promises_nothing_beyond() -> None:
    found = maximum(np.array([-1e4, 1.0, 2.0]), *anywhere(3), Model(straight))
    assert found.promised < 1e-9


def test_search_that_ends_at_an_edge_tells_what_it_would_gain_without_the_jump() -> None:
    def rows(point: FloatArray) -> FloatArray:
        return np.array([point[0] - 3.0, 10.0 if point[0] > 1 else 0.0])

    found = maximum(np.zeros(1), *anywhere(1), Model(rows))
    assert found.parameters == pytest.approx([1.0], abs=1e-2)
    # Half the square of the way that is left from 1 to 3.
    assert found.promised == pytest.approx(2.0, rel=0.05)


def test_start_on_a_bound_moves_inside() -> None:
    lower, upper = np.array([-1e4, 0.0, 0.0]), np.array([1e4, 10.0, 10.0])
    found = maximum(lower, lower, upper, Model(straight))
    assert (found.parameters >= lower).all()


def test_step_into_the_impossible_is_shortened() -> None:
    def rows(point: FloatArray) -> FloatArray | None:
        return None if point[0] > 2 else np.array([np.exp(point[0]) - np.exp(1.9)])

    found = maximum(np.array([-3.0]), *anywhere(1), Model(rows))
    assert found.parameters == pytest.approx([1.9], abs=1e-2)


def test_derivative_beside_the_impossible_is_taken_on_the_other_side() -> None:
    def rows(point: FloatArray) -> FloatArray | None:
        return None if point[0] > 1 else 3 * point

    point = np.array([1.0])
    derivatives = Derivatives(np.ones(1), *anywhere(1), Model(rows))
    assert derivatives.at(point, 3 * point) == pytest.approx(np.array([[3.0]]))


def test_row_that_jumps_has_the_derivative_of_the_side_where_it_does_not() -> None:
    def rows(point: FloatArray) -> FloatArray:
        return np.array([2 * point[0] + (5.0 if point[0] > 1 else 0.0), point[0]])

    point = np.array([1.0])
    derivatives = Derivatives(np.ones(1), *anywhere(1), Model(rows))
    assert derivatives.at(point, rows(point)) == pytest.approx(np.array([[2.0], [1.0]]), rel=1e-6)


def test_parameter_that_changes_nothing_is_tried_with_longer_steps_and_stays() -> None:
    def rows(point: FloatArray) -> FloatArray:
        return np.array([point[0] - 3.0, 1.0])

    model = Model(rows)
    found = maximum(np.array([1.0, 7.0]), *anywhere(2), model)
    assert found.parameters == pytest.approx([3, 7], abs=0.01)
    assert found.jacobian[:, 1].tolist() == [0, 0]


def test_change_that_is_rounding_is_no_derivative() -> None:
    def rows(point: FloatArray) -> FloatArray:
        return np.array([point[0] - 3.0 + 1e-12 * point[1]])

    point = np.array([1.0, 7.0])
    derivatives = Derivatives(np.ones(2), *anywhere(2), Model(rows))
    assert derivatives.at(point, rows(point))[0, 1] == 0


def test_parameter_of_zero_gets_a_step_that_is_long_enough() -> None:
    def rows(point: FloatArray) -> FloatArray:
        # J/mol, measured to 1 kJ/mol.
        return np.array([(point[0] - 5000.0) / 1000])

    found = maximum(np.zeros(1), *anywhere(1), Model(rows))
    assert found.parameters == pytest.approx([5000], abs=1)


def test_impossible_start_is_no_start() -> None:
    with pytest.raises(NoStart):
        maximum(np.zeros(1), *anywhere(1), Model(lambda _: None))
