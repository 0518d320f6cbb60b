"""Checkpoints: a fit that was killed resumes as if it had not been interrupted.

``Store`` keeps the chain in segments, ``segment`` is their file format, ``recovery``
finds the intact ones; ``write_array`` writes the chain for readers. Of the sampler nothing
is known here but its state, and nothing of what a parameter means.
"""

from espei_hpc.rundir.checkpoint.arrays import check_array, write_array
from espei_hpc.rundir.checkpoint.store import Saved, Store

CHECKPOINT_SECONDS = 30.0
"""Longest time between two checkpoints, s: what a kill may cost."""

__all__ = [
    "CHECKPOINT_SECONDS",
    "Saved",
    "Store",
    "check_array",
    "write_array",
]
