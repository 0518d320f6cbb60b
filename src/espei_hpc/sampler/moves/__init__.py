"""The moves of the ensemble, one module each, by the name that ``--sampler`` takes.

A new move is a module like these and its line in ``MOVES``; the graph needs no change.
"""

from espei_hpc.sampler.moves.de import DifferentialEvolution
from espei_hpc.sampler.moves.laplace import Laplace
from espei_hpc.sampler.moves.move import (
    AFTER_THE_WAY,
    FROM_SAMPLES,
    Draws,
    Move,
    Part,
    Proposal,
    least_walkers,
)
from espei_hpc.sampler.moves.stretch import Stretch

DE = DifferentialEvolution.name
LAPLACE = Laplace.name
STRETCH = Stretch.name
"""emcee's move and the default: the sampler of every run directory in which none is recorded."""
MOVES: dict[str, Move] = {move.name: move for move in (Stretch(), DifferentialEvolution(), Laplace())}

__all__ = [
    "AFTER_THE_WAY",
    "DE",
    "FROM_SAMPLES",
    "LAPLACE",
    "MOVES",
    "STRETCH",
    "DifferentialEvolution",
    "Draws",
    "Laplace",
    "Move",
    "Part",
    "Proposal",
    "Stretch",
    "least_walkers",
]
