"""Batch systems: what one grants to this job, when the job ends, and how jobs are submitted.

All that is known of a batch system is in one module, such as ``slurm``; ``systems`` lists them. Everything
is read from the variables and files that a batch system sets for a job; no command is run here. Callers that
may run commands query the rest with ``Allocation.question``.
"""

from espei_hpc.batch.allocation import Allocation
from espei_hpc.batch.job_end import HANDED_ANSWER, JobEnd, from_duration
from espei_hpc.batch.system import BatchSystem
from espei_hpc.batch.systems import SUBMISSIONS, SYSTEMS, allocation, job_end, job_name, recognised

__all__ = [
    "HANDED_ANSWER",
    "SUBMISSIONS",
    "SYSTEMS",
    "Allocation",
    "BatchSystem",
    "JobEnd",
    "allocation",
    "from_duration",
    "job_end",
    "job_name",
    "recognised",
]
