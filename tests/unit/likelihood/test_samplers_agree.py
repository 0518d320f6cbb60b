"""All samplers on the example: the same means and standard deviations as the stretch move, ESPEI's own."""

import numpy as np
import pytest

from amounts import LONG
from espei_hpc.fit.around import independent, learned
from espei_hpc.sampler import FloatArray
from espei_hpc.sampler.goal import smallest_ess
from espei_hpc.sampler.learning import DRAWS
from espei_hpc.sampler.moves import DE, LAPLACE, MOVES, STRETCH, Laplace
from unit.likelihood.in_process import InProcess
from unit.likelihood.likelihood_cases import Stock
from unit.sampler.serial import apart, chain

ENOUGH = 400.0
LENGTHS = {STRETCH: 12_000, DE: 3_000, LAPLACE: 1_500}
"""Iterations with which each has about that effective sample size, or more."""


@pytest.fixture(scope="module")
def chains(example: Stock) -> dict[str, FloatArray]:
    """The part that counts of a chain of each sampler."""
    likelihood, random, found = InProcess(example.recipe), np.random.RandomState(2), {}
    best = likelihood.around_the_best_fit()
    learning, described = learned(best, likelihood.each, random, DRAWS, lambda line: None)
    moves = {**MOVES, LAPLACE: Laplace(learning.density, independent(described))}
    walkers = learning.sample(len(example.chains), random)
    for name, iterations in LENGTHS.items():
        start = walkers if name == LAPLACE else example.chains
        samples = chain(likelihood, start, moves[name], iterations)
        found[name] = samples[:, moves[name].part.begin(iterations) :]
    return found


@pytest.mark.parametrize("name", [pytest.param(name, marks=LONG) for name in (DE, LAPLACE)])
def test_sampler_has_the_means_and_standard_deviations_of_a_long_chain_of_stretch(
    chains: dict[str, FloatArray], name: str
) -> None:
    for one in (STRETCH, name):
        assert smallest_ess(chains[one])[0] > ENOUGH, one
    assert apart(chains[STRETCH], chains[name]) < 4
