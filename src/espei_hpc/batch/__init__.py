"""PBS and Slurm: what a batch system grants to this job, and when the job ends.

Everything is read from the variables and files that the batch system sets for a job; no command is run
here. Callers that may run commands query the rest with ``Allocation.question``.
"""

from espei_hpc.batch.job_end import JobEnd, from_answer, from_duration, job_end
from espei_hpc.batch.system import Allocation, BatchSystem, allocation

__all__ = [
    "Allocation",
    "BatchSystem",
    "JobEnd",
    "allocation",
    "from_answer",
    "from_duration",
    "job_end",
]
