"""Run commands as an ordinary user, and end each with all its children."""

import os
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
AS_USER = ROOT / "tests" / "container" / "closed-network" / "as-user"
TAG = "ESPEI_HPC_COMPARED"
"""Set in the environment of a command, to find its leftover processes."""

MORE_RANKS_THAN_CORES = {
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}
OF_THIS_PROJECT = ("MPI4PY_", "OMPI_", "PMI", "PRTE_", "PYTHON", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
"""Prefixes of variables that neither side inherits."""


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: its exit code; None if it did not end in time.
        output: what it printed.
        errors: what it printed on standard error.
        seconds: it took, s.
    """

    code: int | None
    output: str
    errors: str
    seconds: float


@dataclass(frozen=True)
class User:
    """Who runs everything.

    Attributes:
        home: directory of this user, and where the commands run.
    """

    home: Path

    def run(self, *words: str | Path, more: Mapping[str, str] | None = None, seconds: float = 60.0) -> Ended:
        """Run a command to its end.

        Args:
            words: the command.
            more: of its environment.
            seconds: after which it is ended, s.
        """
        tag = uuid.uuid4().hex
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OF_THIS_PROJECT)}
        start = time.monotonic()
        # Files, not pipes, which leftover processes may keep open.
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(
                [str(word) for word in (AS_USER, self.home, *words)],
                cwd=self.home,
                env=kept | MORE_RANKS_THAN_CORES | {TAG: tag} | dict(more or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
            )
            code = None
            with suppress(subprocess.TimeoutExpired):
                code = process.wait(seconds)
            took = time.monotonic() - start
            _end(tag)
            process.wait()
            return Ended(code, _text(output.fileno()), _text(errors.fileno()), took)


def _text(descriptor: int) -> str:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        return file.read().decode(errors="replace")


def _end(tag: str) -> None:
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            if process.environ().get(TAG) == tag:
                process.kill()
