"""Each equilibrium of the kernel has the bits of pycalphad's own, whether it converges or not."""

from collections import Counter
from collections.abc import Callable

import pytest

from amounts import few_and_many
from espei_hpc.likelihood import Evaluator
from unit.likelihood.compiled.kernel_cases import compared
from unit.likelihood.likelihood_cases import Stock, vectors
from unit.likelihood.systems import SYSTEMS, System

pytestmark = pytest.mark.needs("the compiled solver")

NEAR_AND_FAR = (0.01, 0.1, 0.1, 0.5, 2.0, 10.0, 1e3, 1e300)


@few_and_many("number", 6, 200)
@pytest.mark.parametrize("system", SYSTEMS, ids=str)
def test_solutions_of_a_system_have_the_bits_of_pycalphad(
    system: System, number: int, stock_of: Callable[[System], Stock]
) -> None:
    happened = equal_solutions(stock_of(system), number)
    assert happened["not covered"] == happened["failed"], happened
    assert happened["points not covered"] == 0
    assert happened["solutions"] > 5 * number


@few_and_many("number", 8, 200)
def test_solutions_of_the_example_have_the_bits_of_pycalphad(number: int, example: Stock) -> None:
    happened = equal_solutions(example, number)
    assert happened["several stable"] > 0
    assert happened["not converged"] > 0


def equal_solutions(reference: Stock, number: int) -> Counter[str]:
    """Evaluate at parameters near and far; return what has happened in all solutions."""
    evaluator = Evaluator(reference.recipe.packed())
    with compared() as record:
        for parameters in vectors(reference.initial, number, seed=20, spreads=NEAR_AND_FAR):
            evaluator(parameters)
    assert record.differences == []
    return record.happened
