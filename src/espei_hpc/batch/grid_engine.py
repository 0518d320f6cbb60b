"""Grid Engine: ``SGE_*`` and ``PE_HOSTFILE``. No job scripts are written for it."""

from collections.abc import Mapping

from espei_hpc.batch.allocation import Allocation
from espei_hpc.batch.hosts import counted
from espei_hpc.batch.system import BatchSystem, read
from espei_hpc.environment import first_number

_NO_ARRAY = "undefined"


class GridEngine(BatchSystem):
    """Grid Engine. Its ``qstat`` prints no time left that could be read."""

    name = "Grid Engine"
    prefixes = ("SGE_", "PE_HOSTFILE")
    # Without a parallel environment set up for MPI, a launcher sees this host alone.
    limits_ranks = False

    def recognises(self, environment: Mapping[str, str]) -> bool:
        """A job of Grid Engine has an ID, and a task ID even outside of arrays."""
        # JOB_ID alone may be set by other programs.
        return bool(environment.get("JOB_ID") and environment.get("SGE_TASK_ID"))

    def allocation(self, environment: Mapping[str, str]) -> Allocation:
        """Return what is granted to the job: the slots of its parallel environment."""
        try:
            # A line: n1 4 all.q@n1 UNDEFINED
            granted = counted(read(environment.get("PE_HOSTFILE")) or "", host=0, number=1)
        except ValueError:
            granted = {}
        index = environment["SGE_TASK_ID"]
        return Allocation(
            system=self,
            job=environment["JOB_ID"],
            index="" if index == _NO_ARRAY else index,
            ranks_on=granted,
            ranks=first_number(environment, "NSLOTS"),
            nodes=len(granted) or first_number(environment, "NHOSTS"),
            end=self.end(environment),
        )
