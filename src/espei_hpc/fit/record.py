"""``run.json``: which problem a run directory belongs to, and whether it is solved."""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from espei_hpc import __version__
from espei_hpc.checkpoint import write_json
from espei_hpc.cluster.directory import read_json

NAME = "run.json"


@dataclass(frozen=True)
class Record:
    """What ``run.json`` says.

    Attributes:
        fingerprint: what the chain depends on.
        command: the command line of the last start.
        version: of espei-hpc at the last start.
        finished: iterations of the finished fit; None while it is not finished.
    """

    fingerprint: Mapping[str, str]
    command: tuple[str, ...]
    version: str
    finished: int | None = None

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
