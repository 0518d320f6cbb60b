"""Restart a lost cluster without failed hosts: which hosts remain, and the launcher options for them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from espei_hpc.batch import Allocation
from espei_hpc.cluster import failed_hosts
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi.launchers import BY_COMMAND, NAMES_HOSTS, LauncherKind
from espei_hpc.mpi.launchers.kind import with_host_file
from espei_hpc.rundir.cluster_directory import ClusterDirectory

LEAST_RANKS = 2
"""A scheduler and a worker."""


@dataclass(frozen=True)
class Remaining:
    """What a cluster is restarted on.

    Attributes:
        ranks_on: number of ranks on each remaining host, by the batch system's host names.
        without: excluded hosts, and why.
        launcher: the launcher command as given.
    """

    ranks_on: Mapping[str, int]
    without: Mapping[str, str]
    launcher: Sequence[str]

    @property
    def ranks(self) -> int:
        """Number of ranks to start."""
        return sum(self.ranks_on.values())

    def launcher_without(self, host_file: Path) -> list[str]:
        """Return the launcher command with the options that exclude the failed hosts.

        Args:
            host_file: written if this launcher reads one.
        """
        kind = _kind(self.launcher)
        excluding = kind.excluding if kind else with_host_file
        return excluding(self.launcher, self.ranks_on, [_short(host) for host in self.without], host_file)


def remaining(
    starts: Sequence[ClusterDirectory], job: Allocation | None, launcher: Sequence[str]
) -> Remaining | None:
    """Return what remains after some starts were lost; None if no host is excluded.

    Args:
        starts: the lost starts, oldest first.
        job: the allocation; None outside of one.
        launcher: the launcher command.

    Raises:
        Refusal: (UNAVAILABLE) if too few ranks remain for a cluster, or the user's launcher options name
            the hosts, which espei-hpc does not change.
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
    if any(_option(word) in _names_hosts(launcher) for word in launcher[1:]):
        raise _not_again(
            f"the options of {launcher[0]} name hosts, so it cannot exclude {', '.join(without)}"
        )
    return Remaining(left, without, launcher)


def _names_hosts(launcher: Sequence[str]) -> frozenset[str]:
    """Return the options with which this launcher names hosts; those of all if its name is shared."""
    kind = _kind(launcher)
    return kind.names_hosts if kind else NAMES_HOSTS


def _kind(launcher: Sequence[str]) -> LauncherKind | None:
    """Return the launcher's kind; None if its name is shared by several."""
    return BY_COMMAND.get(os.path.basename(launcher[0]))


def _option(word: str) -> str:
    """Return the name of an option; empty if the word is not an option."""
    return word.lstrip("-").partition("=")[0] if word.startswith("-") else ""


def _short(host: str) -> str:
    return host.partition(".")[0]


def _not_again(what: str) -> Refusal:
    cure = "the cluster is not restarted; run the same command in another job to resume"
    return Refusal(ExitCode.UNAVAILABLE, [Fault("cluster", what, cure)])
