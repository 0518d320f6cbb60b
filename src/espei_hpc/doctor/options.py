"""What an examination is asked to look at."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from espei_hpc.batch import allocation
from espei_hpc.cluster.prepare import default_ranks

RANKS = 3
"""Started to see a world: a scheduler and two workers; more would only take longer."""


@dataclass(frozen=True)
class Launched:
    """A run of ``espei-hpc probe`` that somebody else started, as the host's script does.

    Attributes:
        output: file with all that launcher and ranks printed.
        code: the launcher's exit code; 124, as ``timeout`` has it, if it was ended at a deadline.
        ranks: how many it was to start.
    """

    output: Path
    code: int
    ranks: int


@dataclass(frozen=True)
class Options:
    """What is asked for.

    Attributes:
        directory: where the fit is to run.
        cheap: only what takes less than a second and starts no launcher.
        launcher: words that start ranks; empty to look for one as espei-mpi does.
        ranks: ranks that are to be started; None for those of the allocation, or a few.
        interface: network interface the cluster is to use; None to choose.
        launched: ranks that were started already, instead of starting some.
        seconds: deadline of the run of ranks, s.
        environment: variables to look at.
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
        """Number of hosts that the allocation has; 1 without one."""
        job = allocation(self.environment)
        return (job and job.nodes) or 1

    @property
    def ranks_of_fit(self) -> int:
        """Ranks that a fit started here would have."""
        return self.ranks or default_ranks(self.environment)

    @property
    def ranks_on_a_host(self) -> int:
        """Ranks of such a fit that share a host."""
        return -(-self.ranks_of_fit // self.nodes)

    @property
    def ranks_to_start(self) -> int:
        """Ranks of the trial: on several hosts all of the fit's, since a few might all be on one."""
        return self.ranks or (self.ranks_of_fit if self.nodes > 1 else RANKS)
