"""What a batch system has granted to a job."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from espei_hpc.batch.job_end import JobEnd

if TYPE_CHECKING:
    from espei_hpc.batch.system import BatchSystem


@dataclass(frozen=True)
class Allocation:
    """What a batch system has granted to the job around this process.

    Attributes:
        system: the batch system.
        job: the job ID, as the commands of the batch system take it.
        index: index of this job in a job array; empty if it is not in one.
        ranks_on: ranks granted on each host, in the batch system's order; empty if not known.
        ranks: total number of ranks granted; None if not known.
        nodes: number of hosts; None if not known.
        end: when the job ends; None if not known.
        cores_per_rank: number of cores granted to each rank; None if not known.
    """

    system: "BatchSystem"
    job: str
    index: str
    ranks_on: Mapping[str, int]
    ranks: int | None
    nodes: int | None
    end: JobEnd | None
    cores_per_rank: int | None = None

    @property
    def name(self) -> str:
        """The job as shown to users: ``Slurm job 12``."""
        return f"{self.system.name} job {self.job}"

    @property
    def question(self) -> tuple[str, ...]:
        """The command whose output ``answered`` reads if ``end`` is not known; empty if there is none.

        ``espei-mpi`` runs it on the host.
        """
        return self.system.question(self.job)

    def answered(self, answer: str, asked: float) -> JobEnd | None:
        """Return when the job ends, from the answer to ``question``; None if the answer does not show it.

        Args:
            answer: output of the command, run in the time zone of this process.
            asked: time of the query, s since 1970.
        """
        return self.system.answered(answer, asked)
