"""ESPEI's log-probability is a constant less half the sum of the squared rows."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm, triang, uniform

from espei_hpc.likelihood import Evaluator
from espei_hpc.likelihood import rows as sums
from unit.likelihood.likelihood_cases import EXAMPLE_DATA, FloatArray, Stock, stock, write

PRIORS: dict[str, Any] = {
    "none": lambda value: None,
    "normal": lambda value: norm(loc=1.1 * value, scale=abs(0.2 * value)),
    "triangular": lambda value: triang(c=0.3, loc=value - abs(value), scale=2 * abs(value)),
    "uniform": lambda value: uniform(loc=value - abs(value), scale=2 * abs(value)),
}


class _Constant:
    """ESPEI's prior of a symbol that has none."""

    def logpdf(self, _: float) -> float:
        return 0.0


def found(evaluator: Evaluator, priors: list[Any], parameters: FloatArray) -> sums.Rows:
    made = sums.rows(evaluator.description, priors, parameters, evaluator(parameters))
    assert made is not None
    return made


def near(initial: FloatArray, number: int = 6) -> list[FloatArray]:
    random = np.random.default_rng(2)
    return [initial * (1 + 0.05 * random.standard_normal(initial.size)) for _ in range(number)]


@pytest.mark.parametrize("name", PRIORS)
def test_rows_add_up_to_espeis_log_probability_with_data_of_every_kind(every_kind: Stock, name: str) -> None:
    priors = [PRIORS[name](value) or _Constant() for value in every_kind.initial]
    evaluator = Evaluator(replace(every_kind.recipe, priors=priors).packed())
    context = every_kind.context | {"prior_rvs": priors}
    points = near(every_kind.initial)
    rows = [found(evaluator, priors, point) for point in points]
    own = replace(every_kind, context=context)
    assert [np.float64(one.log_probability).tobytes() for one in rows] == [own.outcome(at) for at in points]
    assert [one.constant for one in rows] == pytest.approx([rows[0].constant] * len(rows), rel=1e-12)
    assert np.ptp([one.values @ one.values for one in rows]) > 1
    assert (rows[0].units == sums.PRIOR).sum() == (len(priors) if name in ("normal", "triangular") else 0)


def test_rows_are_equal_whether_prepared_or_espeis_own(every_kind: Stock) -> None:
    prepared = Evaluator(every_kind.recipe.packed())
    own = Evaluator(replace(every_kind.recipe, verify=0).packed())
    for point in near(every_kind.initial):
        pair = [found(evaluator, every_kind.recipe.priors, point) for evaluator in (prepared, own)]
        assert pair[0].values.tobytes() == pair[1].values.tobytes()


def test_every_unit_has_rows(every_kind: Stock) -> None:
    evaluator = Evaluator(every_kind.recipe.packed())
    rows = found(evaluator, every_kind.recipe.priors, every_kind.initial)
    assert set(rows.units) == set(range(len(evaluator.description.units)))


def test_impossible_point_has_no_rows(every_kind: Stock) -> None:
    prior = uniform(loc=0, scale=1)
    evaluator = Evaluator(replace(every_kind.recipe, priors=[prior] * every_kind.initial.size).packed())
    evaluated = evaluator(every_kind.initial)
    assert sums.rows(evaluator.description, [prior], every_kind.initial, evaluated) is None


def test_bounds_are_those_of_the_priors() -> None:
    priors = [_Constant(), norm(0, 1), uniform(loc=-2, scale=5), triang(c=0.5, loc=1, scale=2)]
    lower, upper = sums.bounds(priors, 5)
    assert lower.tolist() == [-np.inf, -np.inf, -2, 1, -np.inf]
    assert upper.tolist() == [np.inf, np.inf, 3, 3, np.inf]


def test_residual_without_differences_is_named(tmp_path: Path) -> None:
    datasets = {name: copy.deepcopy(EXAMPLE_DATA[name]) for name in ("ZPF-eutectics.json",)}
    evaluator = Evaluator(stock(write(tmp_path, datasets)).recipe.packed())
    evaluated = evaluator(np.array(evaluator.description.initial))
    assert sums.without_rows(evaluator.description, evaluated) == []
    residuals = tuple(replace(one, kind=one.kind.WHOLE) for one in evaluator.description.residuals)
    other = replace(evaluator.description, residuals=residuals)
    assert sums.without_rows(other, evaluated) == ["ZPFResidual"]
