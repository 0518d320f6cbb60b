"""Job scripts: what fills one, its text, handing it to the batch system, which of several fits are finished.

The scripts are templates, a file for each part, in ``templates``; what differs between Slurm and PBS is
decided there. The examples in ``slurm-examples`` and ``pbs-examples`` are their output.
"""

from espei_hpc.batch.scripts.job import Dialect, JobScript, System
from espei_hpc.batch.scripts.kinds import KINDS
from espei_hpc.batch.scripts.script import render

__all__ = ["KINDS", "Dialect", "JobScript", "System", "render"]
