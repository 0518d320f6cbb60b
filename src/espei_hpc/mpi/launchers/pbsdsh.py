"""``pbsdsh``, which starts one task on each host of a PBS job, without MPI."""

from collections.abc import Mapping

from espei_hpc.mpi.launchers.kind import LauncherKind


def _is_job_script(environment: Mapping[str, str]) -> bool:
    # The script is task 1; the tasks of pbsdsh have higher numbers.
    return environment.get("PBS_TASKNUM", "1") == "1"


PBSDSH = LauncherKind(
    key="pbsdsh",
    name="PBS",
    shown="pbsdsh",
    command="pbsdsh",
    rank=("PBS_VNODENUM",),
    numbers_ranks=True,
    size_as_requested=True,
    inside_a_job=_is_job_script,
)
