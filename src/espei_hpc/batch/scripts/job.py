"""The values that fill a job script, and their validation."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from espei_hpc.batch.scripts.kinds import KINDS, ScriptKind
from espei_hpc.batch.submission import Submission
from espei_hpc.batch.systems import SUBMISSIONS
from espei_hpc.errors import Fault

MOST_HOURS = 1000.0

_TAKE_USER_CODE = [name for name, kind in KINDS.items() if kind.user_code]
_ACCOUNT = re.compile(r"[\w.@:+-]+")


@dataclass(frozen=True)
class JobScript:
    """The values that fill a job script.

    Attributes:
        system: the batch system, one of ``SUBMISSIONS``.
        kind: one of ``KINDS``.
        inputs: ESPEI's inputs, as named in the job.
        image: file of the Apptainer image.
        account: account to charge; None for none.
        nodes: number of nodes.
        ranks_per_node: number of ranks per node, one per core.
        hours: walltime in hours.
        script: file of the script.
        dialect: one of those of the batch system, if it has several.
        setup: lines at the start of the script, such as ``module load``.
        launcher: command that starts the ranks; None for the mpirun on PATH.
        host_mpi: value of espei-mpi's --host-mpi; None to leave the option out.
        engine: command that runs the image.
        scheduler_file: scheduler file that the input names; ``two-steps`` only.
        user_code: directory of the user's Python modules; None for none.
    """

    system: str
    kind: str
    inputs: tuple[str, ...]
    image: str
    account: str | None
    nodes: int
    ranks_per_node: int
    hours: float
    script: str
    dialect: str = ""
    setup: tuple[str, ...] = ()
    launcher: str | None = None
    host_mpi: str | None = None
    engine: str = "apptainer"
    scheduler_file: str = "my_scheduler.json"
    user_code: str | None = None

    @property
    def of_kind(self) -> ScriptKind:
        """The properties of its kind."""
        return KINDS[self.kind]

    @property
    def ranks(self) -> int:
        """Number of ranks on all nodes."""
        return self.nodes * self.ranks_per_node

    @property
    def submission(self) -> Submission:
        """How the batch system takes the script."""
        return SUBMISSIONS[self.system]

    @property
    def submit(self) -> str:
        """The command that submits the script, as users type it."""
        if self.of_kind.starts_itself:
            return shlex.join(["bash", self.script])
        return self.submission.typed(self.script)

    @property
    def name(self) -> str:
        """A name for the job; empty if the batch system accepts that of the script's file."""
        return self.submission.job_name(self.script)

    @property
    def walltime(self) -> str:
        """The walltime, as the batch system reads it."""
        return self.submission.walltime(self.hours)

    def faults(self) -> Iterator[Fault]:
        """Yield a fault for each value that cannot be used."""
        yield from self._inputs()
        yield from self._size()
        if self.account is not None and not _ACCOUNT.fullmatch(self.account):
            what = f"{self.account!r} is not a valid account: use letters, digits and . _ - + : @"
            yield Fault("--account", what)
        if self.user_code and not self.of_kind.user_code:
            what = f"a job of kind {self.kind} has commands that do not take it"
            yield Fault("--user-code", what, f"use --kind {' or '.join(_TAKE_USER_CODE)}")
        if not self.image.endswith(".sif"):
            what = f"{self.image!r} does not end in .sif"
            yield Fault("--image", what, "job scripts are for Apptainer images")
        for option, value in (("--in", " ".join(self.inputs)), ("--image", self.image)):
            if any(not character.isprintable() for character in value):
                yield Fault(option, "the file name contains a non-printable character", "rename the file")

    def _inputs(self) -> Iterator[Fault]:
        least, most = self.of_kind.inputs
        if not least <= len(self.inputs) <= most:
            needed = f"{least}" if least == most else f"{least} to {most}"
            what = f"{len(self.inputs)} given, but a job of kind {self.kind} needs {needed}"
            cure = "give first the input that generates parameters, then the one that fits them"
            yield Fault("--in", what, cure if self.kind == "chain" else "")
        if len(set(self.inputs)) < len(self.inputs):
            yield Fault("--in", "names the same file twice")

    def _size(self) -> Iterator[Fault]:
        if self.nodes < 1 or self.ranks_per_node < 1:
            yield Fault("--nodes and --ranks-per-node", "must be 1 or more")
        elif self.ranks < 2:
            yield Fault("--ranks-per-node", "at least 2 ranks are needed, a scheduler and a worker")
        if self.nodes > 1 and not self.of_kind.more_nodes:
            yield Fault("--nodes", f"a job of kind {self.kind} has only one", "use --kind many-nodes")
        # Written so that NaN is refused too.
        if not 0 < self.hours <= MOST_HOURS or round(self.hours * 60) < 1:
            yield Fault("--hours", f"{self.hours:g} is not between a minute and {MOST_HOURS:g} hours")
