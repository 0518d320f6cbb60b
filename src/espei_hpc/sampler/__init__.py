"""Moves of an ensemble of walkers as a graph of evaluations that need not wait for one another.

:class:`Graph` says which evaluation is ready and applies its result; it does not
depend on which worker evaluates it, or in which order. The docstring of ``graph``
explains why the chain is that of a sequential sampler, bit for bit, in any order; with
the stretch move that is emcee 2.2.1. ``moves`` has the moves.
"""

from espei_hpc.sampler.graph import Graph
from espei_hpc.sampler.state import Block, FloatArray, NotANumber, RandomState, State, Task

__all__ = ["Block", "FloatArray", "Graph", "NotANumber", "RandomState", "State", "Task"]
