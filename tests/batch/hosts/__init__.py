"""Hosts on this machine, each with a network address, a name, processes and mounts of its own.

They are joined by a switch, and share this machine's files. All live in one PID namespace that ends with
pytest, however that ends: nothing is left behind. They have no network but their own.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from support import wait_until

PROCESS_ONE = Path(__file__).parent / "process-one"
SUBNET = "10.77.0"
SWITCH = "switch"


@dataclass(frozen=True)
class User:
    """An ordinary user of all hosts."""

    name: str
    uid: int
    home: Path

    def become(self) -> list[str]:
        """Return the words before a command that is to be this user's."""
        return ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]

    def environment(self) -> dict[str, str]:
        """Return what a login sets."""
        return {"HOME": str(self.home), "USER": self.name, "LOGNAME": self.name, "SHELL": "/bin/bash"}


@dataclass(frozen=True)
class Host:
    """A host that is switched on.

    Attributes:
        name: its host name.
        address: its IP address.
        process_one: the process whose end is the host's, as this machine counts.
        network: identifies its network namespace.
    """

    name: str
    address: str
    process_one: int
    network: str

    def words(
        self, *words: str | Path, user: User | None = None, directory: Path, environment: Mapping[str, str]
    ) -> list[str]:
        """Return the command that runs words here, with this environment alone, as root or as a user."""
        return [
            *("nsenter", f"--target={self.process_one}", "--net", "--uts", "--ipc", "--mount", "--pid"),
            *(user.become() if user else []),
            *("env", "--ignore-environment", f"--chdir={directory}"),
            *(f"{name}={value}" for name, value in environment.items()),
            *map(str, words),
        ]

    def run(self, *words: str | Path) -> str:
        """Run words here as root, which must succeed, and return what they print."""
        path = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        return run(*self.words(*words, directory=Path("/"), environment=path))

    def processes(self) -> list[psutil.Process]:
        """Return the living processes of this host."""
        found = []
        for process in psutil.process_iter():
            with suppress(OSError, psutil.Error):
                here = os.readlink(f"/proc/{process.pid}/ns/net") == self.network
                if here and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found


class Network:
    """A switch, and the hosts that are on it."""

    def __init__(self) -> None:
        # Whoever kills pytest kills unshare, which kills its child, the first of the PID namespace.
        with_pytest = ["setpriv", "--pdeathsig", "KILL"]
        self._holder = subprocess.Popen(
            [*with_pytest, "unshare", "--pid", "--fork", "--kill-child", "--net", "sleep", "infinity"],
            stderr=subprocess.DEVNULL,
        )
        holder = psutil.Process(self._holder.pid)
        self._switch = wait_until(holder.children, "the switch")[0].pid
        self._starters: dict[str, subprocess.Popen[str]] = {}
        self._on_switch("link", "add", SWITCH, "type", "bridge")
        self._on_switch("link", "set", SWITCH, "up")

    def add(self, name: str, number: int, etc: Path, reached: Sequence[Path]) -> Host:
        """Switch a host on.

        Args:
            name: its host name.
            number: the last part of its address.
            etc: directory of files that it is to have in /etc.
            reached: directories that any user must reach, wherever this machine keeps them.
        """
        starter = subprocess.Popen(
            [
                *("nsenter", f"--target={self._switch}", "--pid"),
                *("unshare", "--pid", "--fork", "--kill-child", "--net", "--uts", "--ipc", "--mount"),
                *map(str, (PROCESS_ONE, name, etc, *reached)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._starters[name] = starter
        assert starter.stdout is not None
        said = starter.stdout.readline()
        assert said.strip().isdecimal(), f"{name} has not come up: {said}{starter.stdout.read()}"
        pid = int(said)
        host = Host(name, f"{SUBNET}.{number}", pid, os.readlink(f"/proc/{pid}/ns/net"))
        self._on_switch(
            *("link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        )
        self._on_switch("link", "set", f"to-{name}", "master", SWITCH, "up")
        host.run("ip", "address", "add", f"{host.address}/24", "dev", "eth0")
        host.run("ip", "link", "set", "lo", "up")
        host.run("ip", "link", "set", "eth0", "up")
        return host

    def unplug(self, host: Host) -> None:
        """Cut a host off; what runs on it runs on."""
        self._on_switch("link", "set", f"to-{host.name}", "down")

    def plug_in(self, host: Host) -> None:
        """Undo that."""
        self._on_switch("link", "set", f"to-{host.name}", "up")

    def power_off(self, host: Host) -> None:
        """End a host at once. It can say no word of farewell to the others."""
        self._on_switch("link", "delete", f"to-{host.name}")
        psutil.Process(host.process_one).kill()
        self._starters.pop(host.name).communicate()

    def close(self) -> None:
        """Switch all off."""
        psutil.Process(self._switch).kill()
        self._holder.wait()
        for starter in self._starters.values():
            starter.communicate()

    def _on_switch(self, *words: str) -> str:
        return run("nsenter", f"--target={self._switch}", "--net", "ip", *words)


def run(*words: str) -> str:
    """Run a command that must succeed, and return what it prints."""
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout
