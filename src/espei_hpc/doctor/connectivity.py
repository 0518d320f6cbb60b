"""Messages between the ranks of a trial: through MPI, and over TCP as Dask sends them."""

import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from espei_hpc.cluster import interfaces
from espei_hpc.doctor.finding import Line, fault, ok
from espei_hpc.doctor.network import CONNECT_SECONDS, address_of
from espei_hpc.errors import Refusal

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

MESSAGE_BYTES = 1_000_000
"""With some broken transports MPI starts and small messages pass, but one of this size fails."""
PATTERN = bytes(range(251))
"""Its length is prime, so a lost or repeated block changes the message."""
TOO_MANY = 3
"""Number of failed connections after which no more are tried."""


def broadcast_arrives(world: "Comm") -> bool:
    """Broadcast a message of 1 MB from rank 0; return whether it arrived here intact."""
    sent = (PATTERN * (MESSAGE_BYTES // len(PATTERN) + 1))[:MESSAGE_BYTES]
    message = bytearray(sent if world.rank == 0 else MESSAGE_BYTES)
    world.Bcast(message, root=0)
    return message == sent


def connected(
    world: "Comm", interface: str | None, *, on_one_host: bool, network: str | None
) -> dict[str, Any]:
    """Connect as scheduler (rank 0) and workers do, both ways.

    Args:
        world: communicator of all ranks, each of which calls this.
        interface: network interface to use; None to choose.
        on_one_host: whether all ranks are on one host.
        network: a network that connects all hosts; None if none is known.

    Returns:
        ``address``, on which this rank listens (None if it does not), and ``connections``, a message
        for each one that failed.
    """
    failed = []
    listening = None
    try:
        address = address_of(interfaces.choose(interface, on_one_host=on_one_host, network=network))
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        server = socket.create_server((address, 0), family=family, backlog=world.size)
        listening = server.getsockname()[:2]
        threading.Thread(target=_answer, args=[server], daemon=True).start()
    except Refusal as refusal:
        failed.append(refusal.faults[0].what)
    except OSError as error:
        failed.append(f"cannot listen ({error.strerror or error})")
    addresses = world.allgather(listening)
    for rank in range(1, world.size) if world.rank == 0 else [0]:
        if addresses[rank] and len(failed) < TOO_MANY and (why := _connect(addresses[rank])):
            failed.append(f"cannot reach rank {rank} at {addresses[rank][0]} ({why})")
    # Other ranks may not have connected to this one yet.
    world.Barrier()
    return {"address": listening and listening[0], "connections": failed}


def lines(reports: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Return the lines about messages and connections between ranks."""
    return [*_message(reports), *_connections(reports)]


def _message(reports: Sequence[Mapping[str, Any]]) -> list[Line]:
    topic = "MPI message"
    reports = [report for report in reports if "without_mpi" not in report]
    if not reports:
        return []
    lost = [report["process"] for report in reports if not report.get("message")]
    if not lost:
        return [ok(topic, f"1 MB arrived intact at all {len(reports)} ranks")]
    # Measured with two MPICHs whose ranks each had a user namespace of their own, as with Apptainer.
    cure = "MPICH in containers: set UCX_POSIX_USE_PROC_LINK=n and MPIR_CVAR_CH4_CMA_ENABLE=0"
    seen = f"1 MB did not arrive intact at {len(lost)} of {len(reports)} ranks (first {lost[0]})"
    return [fault(topic, seen, cure)]


def _connections(reports: Sequence[Mapping[str, Any]]) -> list[Line]:
    topic = "connections"
    reported = [report for report in reports if "connections" in report]
    failed = [f"rank {report['process']}: {why}" for report in reported for why in report["connections"]]
    if failed:
        cure = "name another network with --interface, or open the firewall between the nodes"
        return [fault(topic, f"{len(failed)} failed; {failed[0]}", cure)]
    return (
        [ok(topic, f"rank 0 and the others reach each other over {reported[0]['address']}")]
        if reported
        else []
    )


def _answer(server: socket.socket) -> None:
    while True:
        connection, _ = server.accept()
        # A peer that closes the connection reports the error itself.
        with connection, suppress(OSError):
            connection.settimeout(CONNECT_SECONDS)
            connection.sendall(connection.recv(1))


def _connect(address: tuple[str, int]) -> str | None:
    try:
        with socket.create_connection(address, CONNECT_SECONDS) as connection:
            connection.sendall(b"?")
            return None if connection.recv(1) == b"?" else "no answer"
    except OSError as error:
        return error.strerror or str(error)
