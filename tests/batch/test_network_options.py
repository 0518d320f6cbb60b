"""Where scheduler and workers listen, on a host with two networks."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch.hosts import Host, Network
from support import BIN, Commands, mpirun, wait_until

SECOND = "10.78.0.9"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "hosts").write_text("127.0.0.1 localhost alone\n")
    network = Network()
    made = network.add("alone", 9, tmp_path / "etc", [tmp_path])
    made.run("ip", "link", "add", "eth1", "type", "veth", "peer", "name", "other-end")
    made.run("ip", "address", "add", f"{SECOND}/24", "dev", "eth1")
    for name in ("eth1", "other-end"):
        made.run("ip", "link", "set", name, "up")
    yield made
    network.close()


def listening(host: Host, rank: int, run_directory: Path) -> set[str]:
    """Return where a rank listens."""
    (file,) = run_directory.glob(f"cluster/*/rank-{rank}.json")
    pid = json.loads(file.read_text())["pid"]
    sockets = [line for line in host.run("ss", "-Htlnp").splitlines() if f"pid={pid}," in line]
    return {line.split()[3] for line in sockets}


@pytest.mark.needs("root", "iproute2")
def test_scheduler_and_workers_listen_on_the_ports_and_interfaces_of_the_options(
    commands: Commands, host: Host, endless_fit: Path
) -> None:
    words = host.words(
        *(BIN / "espei-mpi", endless_fit, "-n", "3", "--launcher", str(mpirun("mpich"))),
        *("--interface", "eth0", "--scheduler-port", "8700"),
        *("--worker-interface", "eth1", "--worker-ports", "9000:9001"),
        directory=endless_fit.parent,
        environment={"PATH": f"{BIN}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(endless_fit.parent)},
    )
    fit = commands.start(*words)
    fit.wait_for_output("cluster ready: 2 workers")
    run_directory = endless_fit.with_suffix(".run")
    # The MPI of the ranks has sockets of its own.
    assert f"{host.address}:8700" in listening(host, 0, run_directory)
    workers = listening(host, 1, run_directory) | listening(host, 2, run_directory)
    assert {f"{SECOND}:9000", f"{SECOND}:9001"} <= workers
    wait_until(lambda: "iteration" in fit.output, "an iteration")
