"""Job scripts: fill the templates, render and submit them; list which of several fits are finished.

The templates in ``templates``, one file per part, contain the differences between Slurm and PBS. The
examples in ``slurm-examples`` and ``pbs-examples`` are their output.
"""

from espei_hpc.batch.scripts.job import Dialect, JobScript, System
from espei_hpc.batch.scripts.kinds import KINDS
from espei_hpc.batch.scripts.script import render

__all__ = ["KINDS", "Dialect", "JobScript", "System", "render"]
