"""A sampler's chain in one process, for tests of what it samples."""

from collections.abc import Callable
from typing import cast

import numpy as np

from espei_hpc.sampler import FloatArray, Graph, RandomState, State
from espei_hpc.sampler.moves import Move

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
