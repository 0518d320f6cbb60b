"""Run a command with a timeout."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TERM_SECONDS = 5.0
"""mpirun may ignore TERM for a long time while a host is unreachable."""
SHOWN = 240
"""Maximum number of characters of a command's output in a message."""


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: its exit code; None if it timed out.
        output: standard output and standard error together.
    """

    code: int | None
    output: str

    def last_words(self, leaving_out: str = "") -> str:
        """Return the end of its output as one line, without the separator lines of launchers.

        Args:
            leaving_out: lines that contain this text are dropped.
        """
        lines = (
            line.strip() for line in self.output.splitlines() if not (leaving_out and leaving_out in line)
        )
        printed = " / ".join(line for line in lines if line.strip("-=*"))
        return printed if len(printed) <= SHOWN else f"… {printed[-SHOWN:]}"


def found(command: str, environment: Mapping[str, str]) -> str | None:
    """Return the path of a command; None if it is not on PATH."""
    return shutil.which(command, path=environment.get("PATH", os.defpath))


def plain(printed: bytes) -> str:
    """Return a launcher's output as text; Open MPI ends some of its lines with a zero byte."""
    return printed.decode(errors="replace").replace("\0", "")


def run(words: Sequence[str], seconds: float, environment: Mapping[str, str]) -> Ended:
    """Run a command; at the timeout end its process group.

    Raises:
        OSError: if it cannot be started.
    """
    # Not a pipe, which a leftover process would keep open; not a file, because TMPDIR may be full.
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
        # pread does not move the file offset, at which a leftover process may still write.
        content = os.pread(output.fileno(), os.fstat(output.fileno()).st_size, 0)
        return Ended(code, plain(content))


def _end(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(TERM_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
