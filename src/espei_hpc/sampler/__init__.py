"""The stretch move of emcee 2.2.1 as a graph of evaluations that need not wait for one another.

:class:`Graph` says which evaluation is ready and what its result changes; who
evaluates, where and in what order is another's business. ``graph`` holds the
argument why the chain is emcee's, bit for bit, whatever that order is.
"""

from espei_hpc.sampler.graph import Graph
from espei_hpc.sampler.state import Block, FloatArray, NotANumber, RandomState, State, Task

__all__ = ["Block", "FloatArray", "Graph", "NotANumber", "RandomState", "State", "Task"]
