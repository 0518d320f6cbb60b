"""The cluster of a fit that runs: only its owner can talk to it (row 28)."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urljoin

import psutil
import pytest

from container.machine import run
from fits import write_fit
from needs import require
from strangers import SOMEBODY, greeted, opened, place_of
from support import Command, Commands, ranks

# Requests of HTTP from standard input (method, host, port, path); prints each answer's status and text.
FETCH = """
import http.client, json, sys
told = []
for method, host, port, path in json.load(sys.stdin):
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        told.append([answer.status, answer.read().decode(errors="replace")])
    except (OSError, http.client.HTTPException):
        told.append([0, ""])
json.dump(told, sys.stdout)
"""
PAGES = (
    "/",
    "/status",
    "/health",
    "/metrics",
    "/info/main/workers.html",
    "/info/main/exceptions.html",
    "/info/main/logs.html",
    "/json/index.html",
    "/json/counts.json",
    "/json/identity.json",
    "/individual-plots.json",
)
"""Of a scheduler; those that these name are looked at too."""
Request = tuple[str, str, int, str]


@pytest.fixture(scope="module")
def fit() -> Iterator[Path]:
    """The input of a fit, in a directory that other users may pass and read."""
    with tempfile.TemporaryDirectory(prefix="espei-hpc-test-") as directory:
        Path(directory).chmod(0o755)
        yield write_fit(Path(directory), iterations=20_000)


@pytest.fixture(scope="module")
def running(fit: Path) -> Iterator[Command]:
    """That fit, which samples; the tests only look at it."""
    require("root")
    commands = Commands(fit.parent)
    run = commands.start("espei-mpi", "--in", fit, "-n", "3")
    try:
        run.wait_for_output("iteration ")
        yield run
        run.process.terminate()
        assert run.finish().code == 75
    finally:
        commands.end_all()


def cluster(fit: Path) -> Path:
    """Return the directory of the one cluster of a fit."""
    (directory,) = fit.with_suffix(".run").glob("cluster/*/")
    return directory


def scheduler(fit: Path) -> tuple[str, str]:
    """Return the scheduler's host and port."""
    return place_of(json.loads((cluster(fit) / "scheduler.json").read_text())["address"])


@pytest.mark.quick
def test_fault_28_scheduler_answers_nobody_without_the_certificate_of_this_start(
    running: Command, fit: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place, own = scheduler(fit), cluster(fit)
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


def test_fault_28_another_user_of_the_host_reads_no_file_of_the_run(running: Command, fit: Path) -> None:
    place, own = fit.with_suffix(".run"), cluster(fit)
    files = [place, *place.rglob("*")]
    assert {own / "key.pem", own / "scheduler.json", own / "rank-0.json", place / "lock"} <= {*files}
    # The input beside it can be read: it is not the way there that keeps others out.
    assert opened([fit, *files], SOMEBODY) == {str(fit)}
    assert {str(own), str(own / "key.pem")} <= opened(files, [])


def fetched(requests: list[Request], user: list[str]) -> list[tuple[int, str]]:
    """Return what a user is answered by HTTP: status, 0 for no answer, and text."""
    words = [*user, "/usr/bin/python3", "-c", FETCH]
    told = subprocess.run(words, input=json.dumps(requests), capture_output=True, text=True, timeout=120)
    assert told.returncode == 0, told.stderr
    return [(status, text) for status, text in json.loads(told.stdout)]


def http_ports(running: Command) -> list[int]:
    """Return the ports of HTTP that scheduler and workers have on loopback."""
    ports = {
        connection.laddr.port
        for process in ranks(running)
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.ip == "127.0.0.1"
    }
    requests: list[Request] = [("GET", "127.0.0.1", port, "/health") for port in sorted(ports)]
    healthy = fetched(requests, SOMEBODY)
    return [port for (_, _, port, _), told in zip(requests, healthy, strict=True) if told == (200, "ok")]


def other_addresses() -> list[str]:
    """Return this host's addresses beyond loopback."""
    found = (address for addresses in psutil.net_if_addrs().values() for address in addresses)
    ours = [address.address for address in found if address.family == socket.AF_INET]
    return [address for address in ours if not address.startswith("127.")]


def test_fault_28_pages_are_answered_on_loopback_alone(running: Command) -> None:
    ports, addresses = http_ports(running), other_addresses()
    assert len(ports) == 3, "a scheduler's and two workers'"
    require("an address beyond loopback")
    beyond: list[Request] = [("GET", address, port, "/health") for address in addresses for port in ports]
    assert {status for status, _ in fetched(beyond, SOMEBODY)} == {0}
    # What listens there is reached by the same request.
    with ThreadingHTTPServer(("", 0), BaseHTTPRequestHandler) as control:
        threading.Thread(target=control.serve_forever, daemon=True).start()
        reached = fetched([("GET", address, control.server_port, "/") for address in addresses], SOMEBODY)
        control.shutdown()
    assert 0 not in {status for status, _ in reached}


def test_fault_28_pages_show_nothing_of_the_fit_and_can_only_be_read(running: Command, fit: Path) -> None:
    (told,) = fetched([("GET", "127.0.0.1", http_port(fit), "/json/identity.json")], SOMEBODY)
    assert json.loads(told[1])["type"] == "Scheduler"
    pages = all_pages(http_port(fit))
    assert "/info/main/workers.html" in pages
    assert any(path.startswith("/info/worker/") for path in pages)
    assert any(path.startswith("/info/task/") for path in pages)
    secrets = secrets_of(fit)
    assert not {(path, secret) for path, text in pages.items() for secret in secrets if secret in text}
    requests: list[Request] = [
        (method, "127.0.0.1", port, path)
        for port in http_ports(running)
        for path in pages
        for method in ("POST", "PUT", "PATCH", "DELETE")
    ]
    assert {status for status, _ in fetched(requests, SOMEBODY)} <= {400, 403, 404, 405}


def http_port(fit: Path) -> int:
    """Return the port of the scheduler's pages."""
    port: int = json.loads((cluster(fit) / "scheduler.json").read_text())["services"]["dashboard"]
    return port


def all_pages(port: int) -> dict[str, str]:
    """Return the pages that another user of the host finds on a port, by path."""
    pages: dict[str, str] = {}
    new = {*PAGES}
    while new:
        paths = sorted(new)
        told = fetched([("GET", "127.0.0.1", port, path) for path in paths], SOMEBODY)
        pages |= {path: text for path, (status, text) in zip(paths, told, strict=True) if status == 200}
        links = {
            urljoin(path, link)
            for path in paths
            for link in re.findall(r"""(?:href|src)=["']([^"'#?]+)""", pages.get(path, ""))
        }
        new = {link for link in links if re.match(r"/(?!/|statics/)", link)} - {*paths, *pages}
    return pages


def secrets_of(fit: Path) -> set[str]:
    """Return what must not be shown: parameters by name and value, what the files of a fit say, its key."""
    database = (fit.parent / "cu-mg_start.tdb").read_text()
    parameters = re.findall(r"FUNCTION (VV\d+) \S+ (\S+?);", database)
    assert parameters
    datasets = [json.loads(path.read_text()) for path in (fit.parent / "datasets").glob("*.json")]
    assert datasets
    keys = (cluster(fit) / "key.pem").read_text().splitlines()[1:-1]
    return {*(word for pair in parameters for word in pair), *(one["reference"] for one in datasets), *keys}


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
    # MPI's own ports, and the launcher's, say nothing to strangers; Dask's and HTTP's would. At once: each
    # takes as long as is waited for an answer.
    beyond = sorted(listening - loopback)
    with ThreadPoolExecutor(max(1, len(beyond))) as pool:
        answering = pool.map(answers, beyond)
        assert not [place for place, answer in zip(beyond, answering, strict=True) if answer]


def answers(place: tuple[str, int]) -> bool:
    """Whether a request of HTTP is answered at an address and port of this host."""
    address, port = place
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    with socket.create_connection((host, port), timeout=5) as connection, suppress(OSError):
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return connection.recv(1) != b""
    return False


def test_fault_28_key_is_in_private_files_and_nowhere_else(running: Command, fit: Path) -> None:
    own = cluster(fit)
    for directory in (own, own.parent, own.parent.parent):
        assert directory.stat().st_mode & 0o777 == 0o700, directory
    for name in ("key.pem", "certificate.pem", "dask.yaml"):
        assert (own / name).stat().st_mode & 0o777 == 0o600, name
    secret = (own / "key.pem").read_text().splitlines()[1]
    for process in running.processes():
        assert secret not in " ".join((*process.cmdline(), *process.environ().values()))
