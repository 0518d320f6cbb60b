"""Why a launcher has ended, from its log: the first known cause, then the last lines."""

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi import launchers
from espei_hpc.rundir.cluster_directory import ClusterDirectory


def launcher_lost(directory: ClusterDirectory, code: str) -> Refusal:
    """Return the refusal for a launcher that has ended by itself.

    Args:
        directory: the cluster start.
        code: the launcher's exit code.
    """
    when = "" if directory.ranks() else " before any rank had started MPI"
    fault = Fault(
        "cluster",
        f"the launcher ended with exit code {code}{when}",
        f"the end of its log is below; full log: {directory.launcher_log}",
    )
    return Refusal(ExitCode.UNAVAILABLE, [fault, *causes(directory)], directory.log_tail())


def causes(directory: ClusterDirectory) -> list[Fault]:
    """Return the first known cause in the launcher's log, as a list; empty if there is none."""
    known = launchers.known_cause(directory.log_lines())
    return [Fault("launcher", f"{known.line}: {known.cause.what}", known.cause.cure)] if known else []
