"""What data determine: standard errors, directions that nothing depends on, who decides what."""

import numpy as np
import pytest

from espei_hpc.sampler.determined import Direction, correlation, determined

STRAIGHT_LINE = np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0], [1.0, 4.0]])
"""Derivatives of a straight line's values by intercept and slope, at four places."""


def test_standard_errors_are_those_of_a_straight_line() -> None:
    known = determined(STRAIGHT_LINE)
    # Textbook: var(slope) = 1 / sum (x - mean)^2, var(intercept) = sum x^2 / (n sum (x - mean)^2).
    assert known.errors == pytest.approx([np.sqrt(30 / (4 * 5)), np.sqrt(1 / 5)])
    assert correlation(known.covariance)[0, 1] == pytest.approx(-10 / np.sqrt(4 * 30))
    assert known.undetermined == ()


def test_root_is_that_of_the_covariance() -> None:
    known = determined(STRAIGHT_LINE * np.array([1e-4, 30.0]))
    assert known.root @ known.root.T == pytest.approx(known.covariance)
    assert np.triu(known.root, 1).tolist() == [[0, 0], [0, 0]]
    assert (np.diag(known.root) > 0).all()


def test_leverage_adds_up_to_the_parameters_and_is_largest_at_the_ends() -> None:
    leverage = determined(STRAIGHT_LINE).leverage
    assert leverage.sum() == pytest.approx(2)
    assert leverage == pytest.approx([0.7, 0.3, 0.3, 0.7])


def test_shares_add_up_to_one_and_name_the_datum_that_decides() -> None:
    shares = determined(np.array([[1.0, 0.0], [0.0, 3.0], [0.0, 1.0]])).shares
    assert shares.sum(axis=0) == pytest.approx([1, 1])
    assert shares == pytest.approx(np.array([[1, 0], [0, 0.9], [0, 0.1]]))


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_sum_alone_is_known(scale: float) -> None:
    known = determined(np.array([[1.0, scale, 0.0], [2.0, 2 * scale, 0.0], [0.0, 0.0, 5.0]]))
    (direction,) = known.undetermined
    assert direction.members == (0, 1)
    assert direction.change == pytest.approx((1, -1 / scale))
    assert np.isinf(known.errors[:2]).all()
    assert known.errors[2] == pytest.approx(0.2)
    assert known.leverage.sum() == pytest.approx(2)


def test_two_directions_are_told_apart() -> None:
    known = determined(np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]))
    assert sorted(one.members for one in known.undetermined) == [(0, 1), (2, 3)]


def test_parameter_without_data_is_not_determined() -> None:
    known = determined(np.array([[1.0, 0.0]]))
    assert [one.members for one in known.undetermined] == [(1,)]
    assert known.shares[:, 1].tolist() == [0]


def test_fewer_data_than_parameters_leave_a_direction() -> None:
    known = determined(np.array([[1.0, 2.0]]))
    (direction,) = known.undetermined
    assert direction.members == (0, 1)
    assert direction.change == pytest.approx((1, -0.5))


@pytest.mark.parametrize(
    ("names", "change", "words"),
    [
        (["VV1"], [1.0], "VV1: no datum depends on it"),
        (["VV1", "VV2"], [1.0, -1.0], "VV1 and VV2 only as their sum"),
        (["VV1", "VV2"], [1.0, 1.001], "VV1 and VV2 only as their difference"),
        (["VV1", "VV2"], [1.0, -1200.0], "VV1 and VV2 only as VV2 + 1.2e+03 VV1"),
        (["VV1", "VV2"], [1.0, 0.5], "VV1 and VV2 only as VV2 - 0.5 VV1"),
        (
            ["A", "B", "C"],
            [1.0, 2.0, -3.0],
            "A, B, C only together: a change of A by 1, B by 2, C by -3 changes no datum",
        ),
    ],
)
def test_direction_is_told_in_words(names: list[str], change: list[float], words: str) -> None:
    assert Direction(tuple(range(len(names))), tuple(change)).in_words(names) == words
