"""What a fit keeps on disk so that a killed one goes on as if it had not been.

``Store`` keeps the chain in segments, ``segment`` is one of them, ``recovery``
finds those that are whole; ``Lock`` keeps a second run out; ``write_array`` shows
the chain to readers; ``compare`` says what changed since the run began.
Nothing here knows what a parameter means, how a sampler works, or what ran it.
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
