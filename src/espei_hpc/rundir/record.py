"""``run.json``: which problem a run directory belongs to, whether it is solved, how the last start ended."""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from espei_hpc import __version__
from espei_hpc.rundir.checkpoint import write_json
from espei_hpc.rundir.files import read_json

NAME = "run.json"


@dataclass(frozen=True)
class Record:
    """What ``run.json`` says.

    Attributes:
        fingerprint: what the chain depends on.
        command: the command line of the last start.
        version: of espei-hpc at the last start.
        finished: iterations of the finished fit; None while it is not finished.
        reached: the goal besides the iterations with which it finished (see ``goal.Judgement``); None if
            it finished with all iterations, or is not finished.
        ended: exit code of the last start; None while it runs, and if it was killed.
        iteration_seconds: mean length of its iterations; None if it did none.
        workers: workers that did them; None if it did none.
        again: how often its job was told to start it again.
        again_at: iterations that were saved at the last of these times.
    """

    fingerprint: Mapping[str, str]
    command: tuple[str, ...]
    version: str
    finished: int | None = None
    reached: Mapping[str, float] | None = None
    ended: int | None = None
    iteration_seconds: float | None = None
    workers: int | None = None
    again: int = 0
    again_at: int = 0

    @classmethod
    def new(cls, fingerprint: Mapping[str, str]) -> "Record":
        """Return the record of a start of this process."""
        return cls(fingerprint, tuple(sys.argv), __version__)

    @classmethod
    def read(cls, run_directory: Path) -> "Record | None":
        """Read the record of a run directory; None if it has none that can be read."""
        try:
            return cls(**(read_json(run_directory / NAME) or {}))
        except TypeError:
            return None

    def write(self, run_directory: Path) -> None:
        """Write it, whole or not at all."""
        write_json(run_directory / NAME, asdict(self))
