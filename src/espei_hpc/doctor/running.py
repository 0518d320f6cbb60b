"""Running a command with a deadline."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TERM_SECONDS = 5.0
"""mpirun may ignore TERM for long while a host is cut off."""
SHOWN = 240
"""Characters of a command's output that fit into a message."""


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: its exit code; None if the deadline passed first.
        output: what it printed, standard output and standard error together.
    """

    code: int | None
    output: str

    def last_words(self, leaving_out: str = "") -> str:
        """Return the end of what it printed as one line, without the rules that launchers draw.

        Args:
            leaving_out: lines with this are none of its words.
        """
        lines = (
            line.strip() for line in self.output.splitlines() if not (leaving_out and leaving_out in line)
        )
        printed = " / ".join(line for line in lines if line.strip("-=*"))
        return printed if len(printed) <= SHOWN else f"… {printed[-SHOWN:]}"


def found(command: str, environment: Mapping[str, str]) -> str | None:
    """Return the path of a command; None if PATH has none."""
    return shutil.which(command, path=environment.get("PATH", os.defpath))


def plain(printed: bytes) -> str:
    """Return what a launcher printed as text; Open MPI ends some of its lines with a zero byte."""
    return printed.decode(errors="replace").replace("\0", "")


def run(words: Sequence[str], seconds: float, environment: Mapping[str, str]) -> Ended:
    """Run a command to its end or to the deadline, when it and its process group are ended.

    Raises:
        OSError: if it cannot be started.
    """
    # Not a pipe, which a process left behind would hold open; not a file, TMPDIR may be full.
    with os.fdopen(os.memfd_create("output"), "w+b") as output:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )
        code: int | None
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
            _end(process)
        # Read without moving the place where a process left behind would go on writing.
        content = os.pread(output.fileno(), os.fstat(output.fileno()).st_size, 0)
        return Ended(code, plain(content))


def _end(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(TERM_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
