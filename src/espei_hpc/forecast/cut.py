"""The number of pieces into which an evaluation is cut.

With too few, workers are idle because the chain has no further evaluation to start;
with too many, the client cannot submit them in time. The optimum depends on
walkers, workers, the evaluation, its spread and the cost of a call, so the engine
is replayed with several numbers of pieces.
"""

import math
from dataclasses import replace

from espei_hpc.forecast.costs import Costs
from espei_hpc.forecast.replay import replay
from espei_hpc.sampler.moves import STRETCH

SHORTEST_PIECE = 0.05
"""Minimum seconds of a piece: in shorter ones the overhead of each piece would be noticeable."""

TOLERANCE = 1.01
"""An iteration may take this many times the shortest one if it needs fewer pieces..."""

TOLERANCE_WHOLE = 1.015
"""...and this many if it needs no cut; the end of a replay, when workers run out of work, adds as much."""

CANDIDATES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 80, 96, 128)

WALKERS = 60
"""Larger ensembles are scaled down to this size for the replay."""

CALLS = 4000
"""Approximate number of calls in one replay; each takes about 50 microseconds."""


def best_cut(
    walkers: int, workers: int, costs: Costs, shortest: float = SHORTEST_PIECE, sampler: str = STRETCH
) -> int:
    """Return the smallest number of pieces with a nearly minimal time per iteration.

    Only numbers that may be faster are replayed, usually fewer than five.

    Args:
        walkers: number of walkers.
        workers: number of workers.
        costs: costs of an evaluation and of a call.
        shortest: minimum seconds of a piece.
        sampler: name of the walkers' move.
    """
    candidates = _possible(costs, shortest)
    if len(candidates) == 1:
        return 1
    walkers, workers, costs = _likeness(walkers, workers, costs)
    bounds = {pieces: _bound(walkers, workers, costs, pieces) for pieces in candidates}
    seconds: dict[int, float] = {}
    best = 1
    for pieces in sorted(bounds, key=lambda pieces: (bounds[pieces], pieces)):
        if seconds and bounds[pieces] > TOLERANCE_WHOLE * seconds[best]:
            break  # neither this one nor any after it
        if seconds and pieces > best and TOLERANCE * bounds[pieces] >= seconds[best]:
            continue  # more pieces, with hardly any gain
        iterations = min(20, max(4, CALLS // (walkers * pieces)))
        replayed = replay(walkers, workers, iterations, costs, pieces, sampler=sampler)
        seconds[pieces] = replayed.seconds_per_iteration
        best = min(seconds, key=seconds.__getitem__)
    if seconds.get(1, math.inf) <= TOLERANCE_WHOLE * seconds[best]:
        return 1
    return min(pieces for pieces, taken in seconds.items() if taken <= TOLERANCE * seconds[best])


def _possible(costs: Costs, shortest: float) -> list[int]:
    most = int(costs.evaluation / shortest)
    if costs.units:
        most = min(most, len(costs.units))
    return [1, *(pieces for pieces in CANDIDATES if 1 < pieces <= most)]


def _bound(walkers: int, workers: int, costs: Costs, pieces: int) -> float:
    """Return a lower bound of the seconds per iteration, from the workers, the client and a single walker."""
    work = walkers * costs.evaluation / workers
    client = walkers * pieces * costs.per_call
    chain = 2 * (costs.evaluation * float(costs.shares(pieces)[0]) + costs.latency)
    return max(work, client, chain)


def _likeness(walkers: int, workers: int, costs: Costs) -> tuple[int, int, Costs]:
    """Return a smaller ensemble, with proportionally fewer workers and a proportionally slower client."""
    smaller = min(walkers, WALKERS)
    ratio = smaller / walkers
    return smaller, max(1, round(workers * ratio)), replace(costs, per_call=costs.per_call / ratio)
