"""How far two chains are apart, as tests and benchmarks measure it."""

import numpy as np

from unit.sampler.serial import apart


def test_chains_of_different_lengths_are_compared() -> None:
    random = np.random.default_rng(0)
    long, short = random.normal(size=(4, 500, 2)), random.normal(size=(4, 300, 2))
    assert apart(long, short) < 4 < apart(long, short + 1)


def test_chains_of_another_width_are_apart() -> None:
    random = np.random.default_rng(0)
    narrow, wide = random.normal(size=(4, 500, 2)), 1.5 * random.normal(size=(4, 500, 2))
    assert apart(narrow, wide) > 4
