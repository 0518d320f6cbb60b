"""Job scripts: fill the templates, render and submit them; list which of several fits are finished.

``templates/script.j2`` is the script of every batch system, with the parts in ``templates/body`` by its kind;
a template per batch system, such as ``templates/slurm.j2``, fills in what is different there. The examples in
``slurm-examples`` and its neighbours are their output.
"""

from espei_hpc.batch.scripts.job import JobScript
from espei_hpc.batch.scripts.kinds import KINDS
from espei_hpc.batch.scripts.script import render

__all__ = ["KINDS", "JobScript", "render"]
