"""Densities that are learned from draws of those before."""

import numpy as np
import pytest

from espei_hpc.sampler import FloatArray
from espei_hpc.sampler.gaussian import Around
from espei_hpc.sampler.learning import LEAST, Learning, effective

SPREAD = np.array([1.0, 3.0])


def logarithm(points: FloatArray) -> FloatArray:
    """Return that of a Gaussian, without its constant."""
    logarithms: FloatArray = -0.5 * ((points / SPREAD) ** 2).sum(axis=1)
    return logarithms


def rounds(number: int, draws: int = 400) -> Learning:
    learning, random = Learning(Around(np.array([1.0, -1.0]), np.eye(2))), np.random.RandomState(1)
    for last in range(number, 0, -1):
        points = learning.density.draw(random, draws)
        learning.add(points, logarithm(points))
        if last > 1:
            learning.learn()
    return learning


def test_points_of_all_rounds_are_weighted_to_the_same_distribution() -> None:
    learning = rounds(3)
    share = np.exp(learning.weights - learning.weights.max())
    share /= share.sum()
    error = 1 / np.sqrt(effective(learning.weights))
    assert share @ learning.points / SPREAD == pytest.approx([0, 0], abs=4 * error)
    assert share @ learning.points**2 / SPREAD**2 == pytest.approx([1, 1], abs=8 * error)
    # The mean of the weights is the constant that the density lacks.
    constant = np.log(2 * np.pi * SPREAD.prod())
    assert np.log(np.exp(learning.weights).mean()) == pytest.approx(constant, abs=4 * error)


def test_latest_draws_are_weighted_by_the_density_they_come_from() -> None:
    learning = rounds(2)
    points = learning.points[-400:]
    expected = logarithm(points) - np.array([learning.density.logarithm(point) for point in points])
    assert learning.latest == pytest.approx(expected)


def test_draws_of_a_learned_density_are_worth_more() -> None:
    worth = [effective(rounds(number).latest) for number in (1, 2, 3)]
    assert worth[0] < worth[1] < worth[2]


def test_equal_weights_count_in_full_and_impossible_points_not_at_all() -> None:
    assert effective(np.array([3.0, 3.0, -np.inf, 3.0])) == pytest.approx(3)
    assert effective(np.full(4, -np.inf)) == 0


def test_far_off_the_density_moves_by_as_much_as_its_points_can_tell() -> None:
    start = Around(np.array([30.0, 0.0]), np.eye(2))
    learning = Learning(start)
    points = start.draw(np.random.RandomState(2), 200)
    learning.add(points, logarithm(points))
    assert effective(learning.weights) < LEAST * 2
    learning.learn()
    assert points[:, 0].min() < learning.density.mode[0] < 30
    covariance = learning.density.root @ learning.density.root.T
    assert np.linalg.eigvalsh(covariance).min() > 0.1


def test_density_stays_where_too_few_points_are_possible() -> None:
    learning = Learning(Around(np.zeros(2), np.eye(2)))
    points = learning.density.draw(np.random.RandomState(3), 50)
    known = np.full(50, -np.inf)
    known[: LEAST * 2] = 0.0
    learning.add(points, known)
    before = learning.density
    learning.learn()
    assert learning.density is before
