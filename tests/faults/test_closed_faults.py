"""A cluster that only its owner can talk to (row 28), and surroundings that are odd (row 29)."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from container.machine import require, run
from fits import Chain
from support import Command, Commands, running_cluster, wait_until

SOMEBODY = ["setpriv", "--reuid=4242", "--regid=4242", "--clear-groups"]
"""Another user of the same host."""
# Whoever may talk to a scheduler is greeted by it at once; prints how many bytes of that come.
GREETING = """
import socket, ssl, sys
host, port, *files = sys.argv[1:]
connection = socket.create_connection((host, int(port)), timeout=20)
try:
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if files != ["none"]:
            context.load_cert_chain(*files)
        connection = context.wrap_socket(connection)
    else:
        connection.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    print(len(connection.recv(1)))
except (ssl.SSLError, ConnectionError):
    print(0)
"""


@pytest.fixture
def running(commands: Commands, endless_fit: Path) -> Iterator[Command]:
    """A fit that samples."""
    require(os.geteuid() == 0, "becoming another user needs root")
    run = commands.start("espei-mpi", "--in", endless_fit, "-n", "3")
    run.wait_for_output("iteration ")
    yield run
    run.process.terminate()
    assert run.finish().code == 75


def cluster(fit: Path) -> Path:
    """Return the directory of the one cluster of a fit."""
    (directory,) = fit.with_suffix(".run").glob("cluster/*/")
    return directory


def scheduler(fit: Path) -> tuple[str, str]:
    """Return the scheduler's host and port."""
    return _place(json.loads((cluster(fit) / "scheduler.json").read_text())["address"])


def _place(address: str) -> tuple[str, str]:
    host, _, port = address.removeprefix("tls://").rpartition(":")
    return host, port


def greeted(place: tuple[str, str], *files: str | Path, user: list[str]) -> bool:
    """Whether the scheduler answers somebody with these certificates; none at all is plain TCP."""
    words = [*user, "/usr/bin/python3", "-c", GREETING, *place, *map(str, files)]
    told = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    return told.stdout.strip() != "0"


def test_fault_28_scheduler_answers_nobody_without_the_certificate_of_this_start(
    running: Command, endless_fit: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place, own = scheduler(endless_fit), cluster(endless_fit)
    assert greeted(place, own / "certificate.pem", own / "key.pem", user=[])
    assert not greeted(place, user=SOMEBODY)
    assert not greeted(place, "none", user=SOMEBODY)
    foreign = tmp_path_factory.mktemp("foreign")
    key, certificate = foreign / "key.pem", foreign / "certificate.pem"
    make = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=dask")
    run(*make, "-keyout", key, "-out", certificate)
    # The other user's own files, where that user may read them.
    readable = Path(shutil.copytree(foreign, "/tmp/" + foreign.name + str(os.getpid())))
    try:
        for path in (readable, *readable.iterdir()):
            shutil.chown(path, 4242, 4242)
        assert not greeted(place, readable / "certificate.pem", readable / "key.pem", user=SOMEBODY)
    finally:
        shutil.rmtree(readable)


def test_fault_28_start_cluster_answers_nobody_without_its_certificate(commands: Commands) -> None:
    with running_cluster(commands, "-n", "2") as cluster:
        assert commands.run("wait-for-cluster", "--scheduler-file", "my_scheduler.json").code == 0
        offered = commands.directory / "my_scheduler.run" / "dask.yaml"
        assert f"export DASK_CONFIG={offered}" in cluster.output
        assert offered.stat().st_mode & 0o777 == 0o600
        told = json.loads((commands.directory / "my_scheduler.json").read_text())
        place = _place(told["address"])
        assert not greeted(place, user=[])
        assert not greeted(place, "none", user=[])
    assert not offered.exists()


def test_fault_28_without_encryption_it_says_so_and_listens_on_loopback_alone(
    commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    run = commands.start("espei-mpi", "--in", small_fit, "-n", "3", "--insecure")
    run.wait_for_output("iteration ")
    ours = {
        connection.laddr.ip
        for process in run.processes()
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_ESTABLISHED and "espei_hpc" in process.cmdline()
    }
    result = run.finish()
    assert result.code == 0, result.output
    assert "INSECURE: whoever reaches the scheduler's port can run any program as you" in result.output
    assert ours <= {"127.0.0.1"}
    assert Chain.load(small_fit.parent).equals(stock_chain)


def test_fault_28_nothing_but_mpi_itself_listens_beyond_loopback(running: Command) -> None:
    listening = {
        (connection.laddr.ip, connection.laddr.port)
        for process in running.processes()
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN and "espei_hpc" in process.cmdline()
    }
    loopback = {place for place in listening if place[0] in ("127.0.0.1", "::1")}
    # A scheduler and two workers on one host.
    assert len(loopback) >= 3
    for address, port in listening - loopback:
        # MPI's own ports, and the launcher's, say nothing to strangers; Dask's and HTTP's would.
        assert not answers(address, port), (address, port)


def answers(address: str, port: int) -> bool:
    """Whether a request of HTTP is answered at an address of this host."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    with socket.create_connection((host, port), timeout=5) as connection, suppress(OSError):
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return connection.recv(1) != b""
    return False


def test_fault_28_key_is_in_private_files_and_nowhere_else(running: Command, endless_fit: Path) -> None:
    own = cluster(endless_fit)
    for directory in (own, own.parent, own.parent.parent):
        assert directory.stat().st_mode & 0o777 == 0o700, directory
    for name in ("key.pem", "certificate.pem", "dask.yaml"):
        assert (own / name).stat().st_mode & 0o777 == 0o600, name
    secret = (own / "key.pem").read_text().splitlines()[1]
    for process in running.processes():
        assert secret not in " ".join((*process.cmdline(), *process.environ().values()))


def test_fault_28_key_and_address_are_removed_with_the_cluster(commands: Commands, small_fit: Path) -> None:
    assert commands.run("espei-mpi", "--in", small_fit, "-n", "3").code == 0
    left = {path.name for path in small_fit.with_suffix(".run").rglob("*")}
    assert not left & {"key.pem", "certificate.pem", "scheduler.json"}


def test_fault_29_odd_surroundings_leave_stocks_chain(
    commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    odd = small_fit.parent / "a fit — Müllers"
    odd.mkdir()
    for path in (*small_fit.parent.glob("*.json"), *small_fit.parent.glob("*.tdb"), small_fit):
        shutil.move(path, odd)
    shutil.move(small_fit.parent / "datasets", odd)
    for name in ("yaml.py", "numpy.py", "distributed.py"):
        (odd / name).write_text("raise SystemExit('this is not the library')\n")
    commands.directory = odd
    nowhere = {"HOME": "/proc/nowhere", "TMPDIR": "/nonexistent", "LANG": "C", "LC_ALL": "C"}
    result = commands.run("espei-mpi", "--in", "x.yaml", "-n", "3", env=nowhere)
    assert result.code == 0, result.output
    assert Chain.load(odd).equals(stock_chain)
    wait_until(lambda: not commands.left(), "the end of all processes")
