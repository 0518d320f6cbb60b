"""Options of an examination."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from espei_hpc.batch import allocation
from espei_hpc.cluster.prepare import default_ranks

RANKS = 3
"""Default number of ranks of a trial: a scheduler and two workers; more would only take longer."""


@dataclass(frozen=True)
class Launched:
    """A run of ``espei-hpc probe`` that was started elsewhere, by ``espei-mpi --doctor``.

    Attributes:
        output: file with the output of launcher and ranks.
        code: the launcher's exit code; 124, as from ``timeout``, if it timed out.
        ranks: number of requested ranks.
    """

    output: Path
    code: int
    ranks: int


@dataclass(frozen=True)
class Options:
    """Options of an examination.

    Attributes:
        directory: directory of the fit.
        cheap: run only checks that take less than a second and start no launcher.
        launcher: command that starts the ranks; empty to find one as espei-mpi does.
        ranks: number of ranks to start; None for those of the allocation, or a few.
        interface: network interface for the cluster; None to choose.
        launched: a trial that was run already; None to start one.
        seconds: timeout of the trial, s.
        environment: variables to examine.
    """

    directory: Path
    cheap: bool = False
    launcher: tuple[str, ...] = ()
    ranks: int | None = None
    interface: str | None = None
    launched: Launched | None = None
    seconds: float = 60.0
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    @property
    def nodes(self) -> int:
        """Number of hosts in the allocation; 1 without an allocation."""
        job = allocation(self.environment)
        return (job and job.nodes) or 1

    @property
    def ranks_of_fit(self) -> int:
        """Number of ranks of a fit started here."""
        return self.ranks or default_ranks(self.environment)

    @property
    def ranks_on_a_host(self) -> int:
        """Number of ranks of such a fit on one host."""
        return -(-self.ranks_of_fit // self.nodes)

    @property
    def ranks_to_start(self) -> int:
        """Number of ranks of the trial: on several hosts those of the fit, since a few may share a host."""
        return self.ranks or (self.ranks_of_fit if self.nodes > 1 else RANKS)
