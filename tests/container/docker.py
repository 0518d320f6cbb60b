"""A Docker daemon of the tests' own: its containers, its network and its files are nobody else's."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from container.machine import IMAGE, podman, run
from support import wait_until

CLIENT = "/usr/bin/docker"
"""Debian's, which is as old as its daemon."""
# A network namespace of its own holds its bridge, and no rule of a firewall is needed there.
DAEMON = """
ip link set lo up
exec dockerd --host "unix://$1/socket" --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" \\
    --iptables=false --ip6tables=false --ip-masq=false
"""


@dataclass(frozen=True)
class Docker:
    """A running daemon.

    Attributes:
        directory: its files.
    """

    directory: Path

    @property
    def environment(self) -> dict[str, str]:
        """What tells the client where the daemon is, for an environment with this process's PATH."""
        return {
            "DOCKER_HOST": f"unix://{self.directory}/socket",
            "PATH": f"{Path(CLIENT).parent}:{os.environ['PATH']}",
        }

    def run(self, *words: str | Path) -> str:
        """Run the client, which must succeed; return what it printed on standard output."""
        return run(CLIENT, *words, env=self.environment)


@contextmanager
def daemon(directory: Path) -> Iterator[Docker]:
    """Keep a daemon up that has the image with both MPIs."""
    docker = Docker(directory)
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["unshare", "--net", "bash", "-euc", DAEMON, "-", str(directory)],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: _answers(docker, process, log), "dockerd answers")
        # The tests' users are in no group.
        (directory / "socket").chmod(0o666)
        archive = directory / "image.tar"
        podman("save", "--quiet", "--format", "docker-archive", "--output", archive, f"{IMAGE}:both")
        docker.run("load", "--quiet", "--input", archive)
        archive.unlink()
        yield docker
    finally:
        process.terminate()
        process.wait(timeout=120)


def _answers(docker: Docker, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, log.read_text(errors="replace")
    try:
        docker.run("info")
    except AssertionError:
        return False
    return True
