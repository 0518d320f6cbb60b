"""What of PBS starts tasks on the nodes of a job, for lack of a PBS that could be had here.

A task has what OpenPBS's src/resmom/start_exec.c gives it: the variables of the job, not of the shell that
asks; the home directory; an empty input; the job's output.
"""

import json
import os
import shutil
import signal
import socketserver
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from batch.hosts import Host, User

PBSDSH = Path(__file__).with_name("pbsdsh")


class Mom(socketserver.ThreadingUnixStreamServer):
    """Starts tasks as a user on hosts, by the number of a line in the list of nodes."""

    daemon_threads = True

    def __init__(
        self, commands: Path, nodes: Sequence[Host], user: User, output: Path, tag: dict[str, str]
    ) -> None:
        """Be there for its pbsdsh.

        Args:
            commands: directory into which pbsdsh is put, with a short path as sockets need it.
            nodes: the host of each line of the list of nodes.
            user: whose job it is.
            output: the job's, where tasks write.
            tag: variables by which all that is started is found.
        """
        self.commands, self.nodes, self.user = commands, nodes, user
        self.variables = user.environment() | tag | {"PATH": "/usr/bin:/bin", "PBS_JOBID": "41.head"}
        self.variables["PBS_ENVIRONMENT"] = "PBS_BATCH"
        self.output = output
        self.tasks: list[tuple[str, list[str]]] = []
        shutil.copy(PBSDSH, commands)
        super().__init__(str(commands / "mom.socket"), Task)
        (commands / "mom.socket").chmod(0o777)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def end_session(leader: int) -> None:
    """Kill what is left of a task's session, as mom does when its first process has ended."""
    for process in psutil.process_iter():
        with suppress(OSError, psutil.Error):
            if os.getsid(process.pid) == leader:
                process.kill()


class Task(socketserver.StreamRequestHandler):
    """One task, from its start to its end."""

    server: Mom

    def handle(self) -> None:
        number, words = json.loads(self.rfile.readline())
        mom, host = self.server, self.server.nodes[number]
        mom.tasks.append((host.name, words))
        with mom.output.open("ab") as output:
            task = subprocess.Popen(
                host.words(*words, user=mom.user, directory=mom.user.home, environment=mom.variables),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        threading.Thread(target=self._listen, args=(task,), daemon=True).start()
        status = task.wait()
        end_session(task.pid)
        with suppress(ConnectionError):
            self.wfile.write(b"%d\n" % status)

    def _listen(self, task: subprocess.Popen[bytes]) -> None:
        with suppress(ConnectionError):  # pbsdsh waits for no answer
            for line in self.rfile:
                os.killpg(task.pid, signal.Signals(int(line.split()[1])))
