"""A real Slurm of four nodes, each a host of its own, whose daemons run as on a cluster."""

import os
import shutil
import sys
from pathlib import Path
from string import Template

from batch.hosts import SUBNET, Host, Network, User
from support import ROOT, wait_until

HERE = Path(__file__).parent
HEAD = "head"
NUMBERS = {HEAD: 1} | {f"node{number}": 10 + number for number in (1, 2, 3, 4)}
"""The last part of each host's address."""
NODES = [name for name in NUMBERS if name != HEAD]


class Slurm:
    """The cluster: where its users log in, ``head``, and its nodes."""

    def __init__(self, directory: Path) -> None:
        """Bring it up.

        Args:
            directory: an empty one, that any user may enter.
        """
        self.directory = directory
        self.user = User("ada", 4343, directory / "home")
        self.network = Network()
        self.hosts: dict[str, Host] = {}
        self._unplugged: set[str] = set()
        self._orphans_end = directory / "etc" / "slurm" / "orphans-end"
        self._make_directories()
        self._write_etc()
        for name in NUMBERS:
            self._switch_on(name)
        self._start_munge()
        self.hosts[HEAD].run("slurmctld", "-c")
        for name in NODES:
            self._start_slurmd(name)
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        """Wait until every node answers and has no job."""
        wait_until(lambda: self.states() == dict.fromkeys(NODES, "idle"), "four idle nodes")

    def states(self) -> dict[str, str]:
        """Return the state of each node, as sinfo calls it; with a * if it does not answer."""
        told = self.hosts[HEAD].run("sinfo", "--noheader", "--Node", "--format=%N %T")
        return dict(line.split() for line in told.splitlines())

    def let_time_run_out(self, job: str) -> None:
        """Have a running job reach its time limit: Slurm looks at limits every 30 s."""
        self.hosts[HEAD].run("scontrol", "update", f"JobId={job}", "EndTime=now+1")

    def end_orphans(self) -> None:
        """Until the repair let no process outlive its job's script, as where Slurm uses control groups."""
        self._orphans_end.touch()

    def lose(self, node: str) -> None:
        """Cut a node's power."""
        self.network.power_off(self.hosts.pop(node))

    def unplug(self, node: str) -> None:
        """Cut a node off the network; what runs on it runs on."""
        self.network.unplug(self.hosts[node])
        self._unplugged.add(node)

    def repair(self) -> None:
        """Bring back what was lost or unplugged, and Slurm's settings."""
        self._orphans_end.unlink(missing_ok=True)
        for node in self._unplugged & self.hosts.keys():
            self.network.plug_in(self.hosts[node])
        self._unplugged.clear()
        for node in set(NODES) - self.hosts.keys():
            self._switch_on(node)
            self._start_slurmd(node)

    def close(self) -> None:
        """Switch all off."""
        self.network.close()

    def _make_directories(self) -> None:
        for name in ("etc/slurm", "state", "spool", "munge", "home", *(f"tmp/{node}" for node in NODES)):
            (self.directory / name).mkdir(parents=True)
        for node in NODES:
            (self.directory / "tmp" / node).chmod(0o1777)
        shutil.chown(self.directory / "munge", "munge", "munge")
        shutil.chown(self.directory / "home", self.user.uid, self.user.uid)

    def _write_etc(self) -> None:
        """Write what the hosts have in /etc instead of this machine's."""
        etc = self.directory / "etc"
        names = [f"{SUBNET}.{number} {name}\n" for name, number in NUMBERS.items()]
        (etc / "hosts").write_text("127.0.0.1 localhost\n" + "".join(names))
        numbers = f"{self.user.uid}:{self.user.uid}"
        passwd = f"{self.user.name}:x:{numbers}::{self.user.home}:/bin/bash\n"
        (etc / "passwd").write_text(Path("/etc/passwd").read_text() + passwd)
        group = f"{self.user.name}:x:{self.user.uid}:\n"
        (etc / "group").write_text(Path("/etc/group").read_text() + group)
        template = Template((HERE / "slurm.conf").read_text())
        text = template.substitute(directory=self.directory, here=HERE, subnet=SUBNET)
        (etc / "slurm" / "slurm.conf").write_text(text)
        # Left to itself, Slurm does not understand the control groups of every machine.
        (etc / "slurm" / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")

    def _switch_on(self, name: str) -> None:
        needed = [self.directory, ROOT, Path(sys.prefix), Path(sys.base_prefix)]
        self.hosts[name] = self.network.add(name, NUMBERS[name], self.directory / "etc", needed)

    def _start_munge(self) -> None:
        """Start the one that all hosts use through its socket, a file."""
        munge = self.directory / "munge"
        key = munge / "key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
        shutil.chown(key, "munge", "munge")
        files = [f"--{kind}-file={munge / kind}" for kind in ("key", "pid", "log", "seed")]
        self.hosts[HEAD].run(
            *("setpriv", "--reuid=munge", "--regid=munge", "--clear-groups", "munged"),
            *(*files, f"--socket={munge / 'socket'}"),
        )

    def _start_slurmd(self, node: str) -> None:
        self.hosts[node].run("slurmd")
