"""A Docker daemon of the tests' own: its containers, its network and its files are nobody else's."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from container.machine import BASE, IMAGE, podman, run
from support import wait_until

CLIENT = "/usr/bin/docker"
"""Debian's, which is as old as its daemon."""
# Its mounts end with it: a daemon that a test has ended leaves some behind.
OWN_NETWORK = ("unshare", "--mount", "--net", "bash", "-euc", 'ip link set lo up; exec dockerd "$@"', "-")
"""Starts a daemon in a network namespace that holds its bridge; no rule of a firewall is needed there."""
HOSTS_NETWORK = ("unshare", "--mount", "dockerd", "--bridge=none", "--ip-forward=false")
"""Starts a daemon whose builds can reach the package index, and that leaves the host's network as it is."""


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
def with_image() -> Iterator[Docker]:
    """Keep a daemon up that has the image with both MPIs."""
    with _daemon(OWN_NETWORK) as docker:
        _load(docker, f"{IMAGE}:both")
        yield docker


@contextmanager
def for_builds() -> Iterator[Docker]:
    """Keep a daemon up that has the Containerfile's base image, as podman; builds need the host's network."""
    with _daemon(HOSTS_NETWORK) as docker:
        _load(docker, BASE)
        yield docker


@contextmanager
def _daemon(start: Sequence[str]) -> Iterator[Docker]:
    with tempfile.TemporaryDirectory(prefix="espei-hpc-docker-") as place:
        docker = Docker(Path(place))
        log = docker.directory / "log"
        words = [f"--host=unix://{place}/socket", f"--pidfile={place}/pid"]
        words += [f"--data-root={place}/data", f"--exec-root={place}/exec"]
        words += ["--iptables=false", "--ip6tables=false", "--ip-masq=false"]
        with log.open("wb") as output:
            process = subprocess.Popen([*start, *words], stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: _answers(docker, process, log), "dockerd answers")
            # The tests' users are in no group.
            docker.directory.chmod(0o755)
            (docker.directory / "socket").chmod(0o666)
            yield docker
        finally:
            process.terminate()
            process.wait(timeout=120)


def _load(docker: Docker, image: str) -> None:
    """Give a daemon an image that podman has."""
    archive = docker.directory / "image.tar"
    podman("save", "--quiet", "--format", "docker-archive", "--output", archive, image)
    docker.run("load", "--quiet", "--input", archive)
    archive.unlink()


def _answers(docker: Docker, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, log.read_text(errors="replace")
    try:
        docker.run("info")
    except AssertionError:
        return False
    return True
