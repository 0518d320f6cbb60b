"""A sampler's chain in one process, for tests of what it samples, and how far two chains are apart."""

from collections.abc import Callable
from typing import cast

import numpy as np

from espei_hpc.sampler import FloatArray, Graph, RandomState, State
from espei_hpc.sampler.moves import Move
from espei_hpc.sampler.statistics import effective_sample_size

LogProbability = Callable[[FloatArray], float]


def state(positions: FloatArray, seed: int) -> State:
    """Return the start of a chain, with unknown log-probabilities; positions are (walkers, parameters)."""
    random = cast(RandomState, np.random.RandomState(seed).get_state())
    return State(0, positions, None, np.zeros(len(positions), np.int64), random)


def chain(
    log_probability: LogProbability, positions: FloatArray, move: Move, iterations: int, seed: int = 1
) -> FloatArray:
    """Sample, one evaluation after the other; return the positions, (walkers, iterations, parameters).

    Args:
        log_probability: of one position.
        positions: where the walkers start, (walkers, parameters).
        move: how they move.
        iterations: how many.
        seed: of the random numbers.
    """
    graph = Graph(state(positions, seed), iterations, move=move)
    while (task := graph.pop()) is not None:
        graph.put(task, log_probability(graph.parameters(task)))
    block = graph.take()
    assert block is not None
    return block.positions


def apart(one: FloatArray, other: FloatArray) -> float:
    """Return the largest difference of two chains' means and variances, in Monte Carlo errors of it.

    Args:
        one: positions, (walkers, iterations, parameters).
        other: the same of another chain, with any number of walkers and iterations.
    """
    centre = np.concatenate([samples.reshape(-1, samples.shape[2]) for samples in (one, other)]).mean(axis=0)
    differences = []
    for power in (1, 2):
        sides = [(samples - centre) ** power for samples in (one, other)]
        for i in range(one.shape[2]):
            values = [side[..., i] for side in sides]
            error = np.hypot(*(value.std() / np.sqrt(effective_sample_size(value)) for value in values))
            differences.append(abs(values[0].mean() - values[1].mean()) / error)
    return round(float(max(differences)), 2)
