"""Assignment of the units of an evaluation to pieces."""

import heapq
from collections.abc import Mapping


def cut(seconds: Mapping[int, float], pieces: int) -> tuple[tuple[int, ...], ...]:
    """Cut units into pieces that take about the same time.

    Units are assigned longest first, each to the piece with the least time so far: at most 4/3
    of the optimum (R. L. Graham, SIAM J. Appl. Math. 17 (1969) 416).

    Args:
        seconds: time of each unit, by its number.
        pieces: number of pieces; there are never more than units, and none is empty.

    Returns:
        numbers of the units of each piece, ascending: the order in which ESPEI evaluates them.
    """
    number = max(1, min(pieces, len(seconds)))
    # By load, then by number of units: without measured times the units are distributed evenly.
    open_pieces: list[tuple[float, int, int]] = [(0.0, 0, piece) for piece in range(number)]
    members: list[list[int]] = [[] for _ in range(number)]
    for unit in sorted(seconds, key=lambda unit: (-seconds[unit], unit)):
        load, count, piece = open_pieces[0]
        members[piece].append(unit)
        heapq.heapreplace(open_pieces, (load + seconds[unit], count + 1, piece))
    return tuple(sorted(tuple(sorted(units)) for units in members if units))
