"""A job of PBS on this machine, as OpenPBS 23.06 was seen to run and end one."""

import os
import re
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil

from container.machine import HERE
from support import ROOT, Command, Commands

KILL_SECONDS = 11.0
"""From TERM to KILL, in qdel."""


def example_script(name: str, image: Path) -> str:
    """Return the script of an example, with the line changed that names the image."""
    text = (ROOT / "pbs-examples" / f"{name}.pbs").read_text()
    text, number = re.subn(r"^image=espei\.sif$", f"image={image}", text, flags=re.MULTILINE)
    assert number == 1
    return text


class Job:
    """A running script, which is a session with all that it starts, but for what ``setsid`` starts.

    Args:
        commands: starts it in its directory, as an ordinary user whose home that is.
        script: the script.
        ranks: number of ranks granted on this host.
        path: PATH of the job.
        env: variables that its user has set.
    """

    def __init__(
        self, commands: Commands, script: Path, ranks: int, path: str, env: dict[str, str] | None = None
    ) -> None:
        directory = commands.directory
        nodes = directory / "nodes"
        nodes.write_text(f"{socket.gethostname()}\n" * ranks)
        variables = {
            "PBS_ENVIRONMENT": "PBS_BATCH",
            "PBS_JOBID": "41.head",
            "PBS_NODEFILE": str(nodes),
            "PBS_O_WORKDIR": str(directory),
            "PATH": path,
        } | (env or {})
        # A site's limit of core files is often none.
        words = ("bash", "-c", 'ulimit -c unlimited; exec bash "$0"', script)
        self.command: Command = commands.start("setsid", HERE / "as-user", directory, *words, env=variables)

    def delete(self, seconds: float) -> None:
        """Do what qdel does: TERM to all processes of the session, KILL to those that are left later.

        Args:
            seconds: how much later, ``KILL_SECONDS`` with PBS.
        """
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.command.process.wait(seconds)
        self._signal(signal.SIGKILL)

    def kill(self) -> None:
        """Kill all processes of the session at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        for pid in psutil.pids():
            with suppress(OSError):
                if os.getsid(pid) == self.command.process.pid:
                    os.kill(pid, number)
