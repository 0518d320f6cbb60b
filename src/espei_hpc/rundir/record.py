"""``run.json``: the problem of a run directory, whether its fit is finished, how the last start ended."""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from espei_hpc import __version__, own_files
from espei_hpc.rundir.files import read_json, write_json
from espei_hpc.sampler.moves import STRETCH

NAME = own_files.RECORD
SAMPLER = "sampler"
"""The sampler's name in a fingerprint; without it, as in earlier versions, it is the stretch move."""


@dataclass(frozen=True)
class Record:
    """Content of ``run.json``.

    Attributes:
        fingerprint: what the chain depends on.
        command: the command line of the last start.
        version: version of espei-hpc at the last start.
        finished: iterations of the finished fit; None if it is not finished.
        reached: the goal that ended the fit (see ``goal.Judgement``); None if it ended with all
            iterations, or is not finished.
        ended: exit code of the last start; None while it runs, and if it was killed.
        iteration_seconds: mean time per iteration of the last start, s; None if it finished none.
        workers: number of its workers; None if it finished no iteration.
        user_code: directory of the user's Python modules when the chain began; None for none.
        again: number of restarts by its jobs.
        again_at: saved iterations at the last restart.
    """

    fingerprint: Mapping[str, str]
    command: tuple[str, ...]
    version: str
    finished: int | None = None
    reached: Mapping[str, float] | None = None
    ended: int | None = None
    iteration_seconds: float | None = None
    workers: int | None = None
    user_code: str | None = None
    again: int = 0
    again_at: int = 0

    @classmethod
    def new(cls, fingerprint: Mapping[str, str], user_code: Path | None = None) -> "Record":
        """Return the record of a start by this process."""
        code = str(user_code.absolute()) if user_code else None
        return cls(fingerprint, tuple(sys.argv), __version__, user_code=code)

    @property
    def sampler(self) -> str:
        """Name of the sampler of the chain."""
        return self.fingerprint.get(SAMPLER, STRETCH)

    @classmethod
    def read(cls, run_directory: Path) -> "Record | None":
        """Read the record of a run directory; None if it is missing or not readable."""
        try:
            return cls(**(read_json(run_directory / NAME) or {}))
        except TypeError:
            return None

    def write(self, run_directory: Path) -> None:
        """Write the record atomically."""
        write_json(run_directory / NAME, asdict(self))
