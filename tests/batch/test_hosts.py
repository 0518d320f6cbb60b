"""The hosts that the tests of batch jobs make on this machine."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from batch.slurm import NODES
from batch.slurm.login import Login
from support import ROOT, wait_until

MAKE_ONE = """
import sys
from pathlib import Path
from batch.hosts import Network

etc = Path(sys.argv[1])
host = Network().add("alone", 9, etc, [etc])
host.run("bash", "-c", "sleep infinity >/dev/null 2>&1 &")
print(host.process_one, flush=True)
sys.stdin.read()
"""


@pytest.mark.needs("root", "iproute2")
def test_hosts_end_with_whoever_made_them_even_if_it_is_killed(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("127.0.0.1 localhost\n")
    maker = subprocess.Popen(
        [sys.executable, "-c", MAKE_ONE, tmp_path],
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert maker.stdout is not None
    process_one = psutil.Process(int(maker.stdout.readline()))
    network = os.readlink(f"/proc/{process_one.pid}/ns/net")
    assert in_network(network)
    maker.kill()
    maker.wait()
    wait_until(lambda: not in_network(network), "the end of the host's processes")


def in_network(network: str) -> list[int]:
    """Return the processes of a network namespace."""
    found = []
    for pid in psutil.pids():
        try:
            if os.readlink(f"/proc/{pid}/ns/net") == network:
                found.append(pid)
        except OSError:  # gone, or a zombie
            continue
    return found


def test_disk_of_a_host_is_its_own_and_the_directory_of_a_job_is_shared(slurm: Login) -> None:
    slurm.run("touch", "/var/tmp/own", "shared", host="node1")
    seen = slurm.run("find", "/var/tmp", ".", "-name", "own", "-o", "-name", "shared", host="node2")
    assert seen.output == "./shared\n"


def test_machine_keeps_its_own_etc(slurm: Login) -> None:
    assert "ada" in slurm.run("cat", "/etc/passwd").output
    assert "ada" not in Path("/etc/passwd").read_text()
    assert "node1" not in Path("/etc/hosts").read_text()


def test_each_node_has_an_address_of_its_own_and_all_reach_each_other(slurm: Login) -> None:
    addresses = {slurm.run("hostname", "--all-ip-addresses", host=node).output.strip() for node in NODES}
    assert addresses == {"10.77.0.11", "10.77.0.12", "10.77.0.13", "10.77.0.14"}
    for node in NODES:
        for other in NODES:
            slurmd = f"exec 3<>/dev/tcp/{other}/6818"
            assert slurm.run("bash", "-c", slurmd, host=node).code == 0


@pytest.mark.parametrize("outside", ["192.0.2.1", "198.51.100.1"])
def test_hosts_reach_nothing_else(outside: str, slurm: Login) -> None:
    result = slurm.run("bash", "-c", f"exec 3<>/dev/tcp/{outside}/80", host="node1")
    assert "Network is unreachable" in result.output
