"""A likelihood in this process, one evaluation after the other, for tests and benchmarks of samplers."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from espei_hpc.fit.opening import VERIFY
from espei_hpc.likelihood import Evaluator, LikelihoodRecipe, combine
from espei_hpc.likelihood.rows import bounds, rows
from espei_hpc.sampler import FloatArray
from espei_hpc.sampler.determined import determined
from espei_hpc.sampler.gaussian import Around
from espei_hpc.sampler.least_squares import Optimum, maximum


class InProcess:
    """A likelihood, prepared as a fit prepares it."""

    def __init__(self, recipe: LikelihoodRecipe) -> None:
        self._evaluator = Evaluator(replace(recipe, verify=VERIFY).packed())
        self._priors = recipe.priors

    def __call__(self, parameters: FloatArray) -> float:
        """Return the log-probability at one point, shape (parameters,)."""
        return combine(self._evaluator.description, [self._evaluator(parameters)])

    def each(self, points: FloatArray) -> FloatArray:
        """Return the log-probabilities of points, shape (points, parameters)."""
        return np.array([self(point) for point in points])

    def best_fit(self, start: FloatArray | None = None) -> Optimum:
        """Search from a point, shape (parameters,), or else from the values in the database."""
        point = np.array(self._evaluator.description.initial) if start is None else start
        return maximum(point, *bounds(self._priors, point.size), self._rows)

    def around_the_best_fit(self) -> Around:
        """Search, and return the density that touches the maximum."""
        best = self.best_fit()
        return Around(best.parameters, determined(best.jacobian).root)

    def _rows(self, points: Sequence[FloatArray]) -> list[FloatArray | None]:
        evaluator = self._evaluator
        found = [rows(evaluator.description, self._priors, point, evaluator(point)) for point in points]
        return [one and one.values for one in found]
