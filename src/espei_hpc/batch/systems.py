"""All batch systems, and the one around a process."""

from collections.abc import Mapping

from espei_hpc.batch.allocation import Allocation
from espei_hpc.batch.grid_engine import GridEngine
from espei_hpc.batch.job_end import JobEnd
from espei_hpc.batch.lsf import Lsf
from espei_hpc.batch.pbs import Pbs, Torque
from espei_hpc.batch.slurm import Slurm
from espei_hpc.batch.system import BatchSystem

SYSTEMS: tuple[BatchSystem, ...] = (Slurm(), Torque(), Pbs(), Lsf(), GridEngine())
"""In the order in which they are tried: Torque sets the variables of PBS too, and more."""

SUBMISSIONS = {system.submission.system: system.submission for system in SYSTEMS if system.submission}
"""How job scripts are submitted, by the name of the batch system in ``espei-hpc job``."""


def recognised(environment: Mapping[str, str]) -> BatchSystem | None:
    """Return the batch system around a process with these variables; None outside of a job."""
    return next((system for system in SYSTEMS if system.recognises(environment)), None)


def allocation(environment: Mapping[str, str]) -> Allocation | None:
    """Return what is granted to the job around a process; None outside of a job.

    Args:
        environment: variables of the process.
    """
    system = recognised(environment)
    return system.allocation(environment) if system else None


def job_name(environment: Mapping[str, str]) -> str:
    """Return the job around a process as shown to users, such as ``Slurm job 12``; empty outside of one."""
    job = allocation(environment)
    return job.name if job else ""


def job_end(environment: Mapping[str, str]) -> JobEnd | None:
    """Return when the job around a process ends; None if its variables do not show it."""
    job = allocation(environment)
    return job.end if job else None
