"""The batch system around this process, and what it has granted."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from espei_hpc.batch import hosts
from espei_hpc.batch.job_end import JobEnd, job_end

HANDED_NODES = "ESPEI_HPC_NODES"
"""Variable with the job's node file, as ``uniq -c`` prints it: a container does not see the file."""


class BatchSystem(StrEnum):
    """A batch system, by its name."""

    SLURM = "Slurm"
    PBS = "PBS"
    """PBS Pro or OpenPBS, which set the same variables."""
    TORQUE = "Torque"
    GRID_ENGINE = "Grid Engine"


@dataclass(frozen=True)
class Allocation:
    """What a batch system has granted to the job around this process.

    Attributes:
        system: the batch system.
        job: the job ID.
        index: index of this job in a job array; empty if it is not in one.
        ranks_on: ranks granted on each host, in the batch system's order; empty if not known.
        ranks: total number of ranks granted; None if not known.
        nodes: number of hosts; None if not known.
        end: when the job ends; None if not known.
    """

    system: BatchSystem
    job: str
    index: str
    ranks_on: Mapping[str, int]
    ranks: int | None
    nodes: int | None
    end: JobEnd | None

    @property
    def name(self) -> str:
        """The job as shown to users: ``Slurm job 12``."""
        return f"{self.system} job {self.job}"

    @property
    def question(self) -> tuple[str, ...]:
        """The command whose output ``from_answer`` reads if ``end`` is not known; empty if there is none.

        ``entrypoints/espei-mpi`` runs the same on the host.
        """
        if self.system is BatchSystem.SLURM:
            return ("squeue", "--noheader", f"--jobs={self.job}", "--format=%L")
        return () if self.system is BatchSystem.GRID_ENGINE else ("qstat", "-f", self.job)


def allocation(environment: Mapping[str, str]) -> Allocation | None:
    """Return what is granted to the job around a process; None outside of a job.

    Args:
        environment: variables of the process.
    """
    if environment.get("SLURM_JOB_ID"):
        return _slurm(environment)
    if environment.get("PBS_JOBID"):
        return _pbs(environment)
    # JOB_ID alone may be set by other programs.
    if environment.get("JOB_ID") and environment.get("SGE_TASK_ID"):
        return _grid_engine(environment)
    return None


def _slurm(environment: Mapping[str, str]) -> Allocation:
    granted = _slurm_ranks(environment)
    # Without --ntasks there is no SLURM_NTASKS, only a number of tasks per host.
    ranks = _number(environment, "SLURM_NTASKS")
    return Allocation(
        system=BatchSystem.SLURM,
        job=environment["SLURM_JOB_ID"],
        index=environment.get("SLURM_ARRAY_TASK_ID", ""),
        ranks_on=granted,
        ranks=ranks if ranks is not None else sum(granted.values()) or None,
        nodes=_number(environment, "SLURM_JOB_NUM_NODES", "SLURM_NNODES") or len(granted) or None,
        end=job_end(environment),
    )


def _slurm_ranks(environment: Mapping[str, str]) -> dict[str, int]:
    nodes = environment.get("SLURM_JOB_NODELIST") or environment.get("SLURM_NODELIST", "")
    try:
        return dict(
            zip(hosts.expand(nodes), hosts.tasks(environment.get("SLURM_TASKS_PER_NODE", "")), strict=True)
        )
    except ValueError:
        # Inside a step the hosts may be the job's but the tasks the step's.
        return {}


def _pbs(environment: Mapping[str, str]) -> Allocation:
    # Only Torque sets its version.
    torque = environment.get("PBS_VERSION", "").startswith("TORQUE") or "PBS_NUM_PPN" in environment
    granted = _node_file(environment)
    return Allocation(
        system=BatchSystem.TORQUE if torque else BatchSystem.PBS,
        job=environment["PBS_JOBID"],
        index=environment.get("PBS_ARRAYID" if torque else "PBS_ARRAY_INDEX", ""),
        ranks_on=granted,
        ranks=sum(granted.values()) or None,
        nodes=len(granted) or None,
        end=job_end(environment),
    )


def _node_file(environment: Mapping[str, str]) -> dict[str, int]:
    text = _read(environment.get("PBS_NODEFILE"))
    if text is not None:
        return hosts.lines(text)
    try:
        return hosts.counted(environment.get(HANDED_NODES, ""), host=1, number=0)
    except ValueError:
        return {}


def _grid_engine(environment: Mapping[str, str]) -> Allocation:
    try:
        granted = hosts.counted(_read(environment.get("PE_HOSTFILE")) or "", host=0, number=1)
    except ValueError:
        granted = {}
    index = environment["SGE_TASK_ID"]
    return Allocation(
        system=BatchSystem.GRID_ENGINE,
        job=environment["JOB_ID"],
        index="" if index == "undefined" else index,
        ranks_on=granted,
        ranks=_number(environment, "NSLOTS"),
        nodes=len(granted) or _number(environment, "NHOSTS"),
        end=job_end(environment),
    )


def _number(environment: Mapping[str, str], *variables: str) -> int | None:
    told = (environment.get(variable, "") for variable in variables)
    return next((int(text) for text in told if text.isascii() and text.isdecimal()), None)


def _read(path: str | None) -> str | None:
    with contextlib.suppress(OSError):
        return Path(path).read_text() if path else None
    return None
