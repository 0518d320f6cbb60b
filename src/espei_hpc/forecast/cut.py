"""Into how many pieces an evaluation is cut.

Too few, and workers idle where the chain has no further evaluation to start; too
many, and the client cannot give them out in time. What lies between depends on
walkers, workers, the evaluation, its spread and the cost of a call all at once, so
the engine is replayed with some numbers of pieces.
"""

import math
from dataclasses import replace

from espei_hpc.forecast.costs import Costs
from espei_hpc.forecast.replay import replay

SHORTEST_PIECE = 0.05
"""Seconds that a piece lasts at least: below, what is done anew in each would show."""

TOLERANCE = 1.01
"""An iteration may take so many times the shortest one, for the sake of fewer pieces..."""

TOLERANCE_WHOLE = 1.015
"""...and for the sake of none at all; a replay's end, when workers run out of work, counts for as much."""

CANDIDATES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 80, 96, 128)

WALKERS = 60
"""Larger ensembles are replayed in a smaller likeness."""

CALLS = 4000
"""Calls in one replay, about; each takes some 50 microseconds."""


def best_cut(walkers: int, workers: int, costs: Costs, shortest: float = SHORTEST_PIECE) -> int:
    """Return the fewest pieces with which an iteration takes hardly longer than with any number.

    Replays only those that may gain something, most of the time fewer than five.

    Args:
        walkers: of the ensemble.
        workers: that evaluate.
        costs: of an evaluation and of a call.
        shortest: seconds that a piece lasts at least.
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
            continue  # more pieces, that can hardly gain anything
        iterations = min(20, max(4, CALLS // (walkers * pieces)))
        seconds[pieces] = replay(walkers, workers, iterations, costs, pieces).seconds_per_iteration
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
    """Return seconds that an iteration takes at least, for the workers, the client, a walker's own chain."""
    work = walkers * costs.evaluation / workers
    client = walkers * pieces * costs.per_call
    chain = 2 * (costs.evaluation * float(costs.shares(pieces)[0]) + costs.latency)
    return max(work, client, chain)


def _likeness(walkers: int, workers: int, costs: Costs) -> tuple[int, int, Costs]:
    """Return a smaller ensemble that keeps as many times fewer workers busy by a client so much slower."""
    smaller = min(walkers, WALKERS)
    ratio = smaller / walkers
    return smaller, max(1, round(workers * ratio)), replace(costs, per_call=costs.per_call / ratio)
