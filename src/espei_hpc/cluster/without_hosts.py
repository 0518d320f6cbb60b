"""Starting a lost cluster again without the hosts that failed: what is left, and how a launcher is told."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from espei_hpc.batch import Allocation
from espei_hpc.cluster import failed_hosts
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.cluster_directory import ClusterDirectory

LEAST_RANKS = 2
"""A scheduler and a worker."""
HOST_OPTIONS = frozenset({"hostfile", "machinefile", "machine", "host", "hosts", "hostlist", "H", "f"})
"""Options of Open MPI, MPICH and Intel MPI that name hosts; they take them with one dash or two."""


@dataclass(frozen=True)
class Remaining:
    """What a cluster is started on again.

    Attributes:
        ranks_on: ranks on each host that is left, by the batch system's names of them.
        without: hosts that are left out, and why.
        launcher: words of the launcher as it is.
    """

    ranks_on: Mapping[str, int]
    without: Mapping[str, str]
    launcher: Sequence[str]

    @property
    def ranks(self) -> int:
        """Ranks to start."""
        return sum(self.ranks_on.values())

    def launcher_without(self, host_file: Path) -> list[str]:
        """Return the launcher's words with what makes it do without the others.

        Args:
            host_file: written if this launcher reads one; Open MPI, MPICH, Intel MPI and PALS call it alike.
        """
        if _is_srun(self.launcher):
            excluded = ",".join(sorted(map(_short, self.without)))
            return [*self.launcher, f"--exclude={excluded}", f"--nodes={len(self.ranks_on)}"]
        # A line for each rank is what all of them can read.
        host_file.write_text("".join(f"{host}\n" * ranks for host, ranks in self.ranks_on.items()))
        return [*self.launcher, "--hostfile", str(host_file)]


def remaining(
    starts: Sequence[ClusterDirectory], job: Allocation | None, launcher: Sequence[str]
) -> Remaining | None:
    """Return what is left after some starts were lost, the last one last; None if all hosts are.

    Args:
        starts: the lost ones.
        job: the allocation; None outside of one.
        launcher: what starts the ranks.

    Raises:
        Refusal: (UNAVAILABLE) if no cluster can be made of what is left, or the launcher's own options
            name its hosts, which are the user's to change.
    """
    lost = [failed_hosts.Lost.read(directory) for directory in starts]
    without = failed_hosts.left_out(lost) if lost else {}
    if not without:
        return None
    names = {_short(name): name for name in (job.ranks_on if job else ())}
    left = {
        names.get(_short(host), host): ranks
        for host, ranks in lost[-1].ranks_on.items()
        if host not in without
    }
    if sum(left.values()) < LEAST_RANKS:
        raise _not_again(f"without {', '.join(without)} too few ranks are left for a scheduler and a worker")
    if not _is_srun(launcher) and any(_option(word) in HOST_OPTIONS for word in launcher[1:]):
        raise _not_again(f"the options of {launcher[0]} would have to leave out {', '.join(without)}")
    return Remaining(left, without, launcher)


def _is_srun(launcher: Sequence[str]) -> bool:
    return os.path.basename(launcher[0]) == "srun"


def _option(word: str) -> str:
    """Return the name of an option; empty if the word is none."""
    return word.lstrip("-").partition("=")[0] if word.startswith("-") else ""


def _short(host: str) -> str:
    return host.partition(".")[0]


def _not_again(what: str) -> Refusal:
    cure = "the cluster is not started again; the same command goes on in another job"
    return Refusal(ExitCode.UNAVAILABLE, [Fault("cluster", what, cure)])
