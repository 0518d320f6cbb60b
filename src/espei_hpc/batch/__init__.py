"""PBS and Slurm: what a batch system grants to this job, when the job ends, and whether it is to come again.

All of it is read from the variables and files that the batch system gives to a job; nothing here
starts a command. What only its commands can tell, whoever may run them asks (``Allocation.question``).
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
