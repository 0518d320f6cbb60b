"""Checkpoints: a fit that was killed resumes as if it had not been interrupted.

``Store`` keeps the chain in segments, ``segment`` is their file format, ``recovery``
finds the intact ones; ``Lock`` keeps a second run out; ``write_array`` writes
the chain for readers; ``compare`` lists what has changed since the run began.
Nothing here depends on the meaning of a parameter, on the sampler, or on how it runs.
"""

from espei_hpc.rundir.changes import compare
from espei_hpc.rundir.checkpoint.arrays import check_array, write_array
from espei_hpc.rundir.checkpoint.store import Saved, Store
from espei_hpc.rundir.files import write_json
from espei_hpc.rundir.lock import Lock

__all__ = [
    "Lock",
    "Saved",
    "Store",
    "check_array",
    "compare",
    "write_array",
    "write_json",
]
