"""This host's network: its name, its interfaces, loopback and ports."""

import ipaddress
import socket
from pathlib import Path

from espei_hpc.cluster import interfaces
from espei_hpc.doctor.finding import Line, fault, ok, warning
from espei_hpc.doctor.options import Options
from espei_hpc.errors import Refusal
from espei_hpc.text import counted

CONNECT_SECONDS = 5.0
PORTS_FOR_A_RANK = 10
"""One to listen on and a few connections at a time, plus some that are still closing."""
NAME_ONE = "name the interface that the nodes share with --interface"
PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def address_of(chosen: interfaces.Endpoint | None) -> str:
    """Return the chosen address, or the one that Dask uses if none was chosen.

    Raises:
        OSError: if there is none.
    """
    return chosen.address if chosen else _default_address()


def is_loopback(address: str) -> bool:
    """Whether an address is a loopback address."""
    return ipaddress.ip_address(address.split("%")[0]).is_loopback


def host_name(options: Options) -> list[Line]:
    """Report the addresses of this host's own name."""
    topic = "host name"
    name = socket.gethostname()
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)}
    except OSError as error:
        seen = f"'{name}' has no address ({error.strerror or error})"
        cure = "add it to /etc/hosts or DNS: some launchers and libraries look it up"
        return [warning(topic, seen, cure)]
    addresses = ", ".join(sorted(found))
    if options.nodes > 1 and all(map(is_loopback, found)):
        seen = f"'{name}' is {addresses}, which is itself on every host of the allocation"
        cure = "if the ranks do not reach each other, set it to the host's network address (/etc/hosts)"
        return [warning(topic, seen, cure)]
    return [ok(topic, f"'{name}' is {addresses}")]


def interface(options: Options) -> list[Line]:
    """Report the interfaces, and the one that the cluster would use."""
    topic = "interfaces"
    here = interfaces.addresses()
    known = "; ".join(f"{name} ({text})" for name, text in here.items() if text) or "none has an address"
    try:
        chosen = interfaces.choose(options.interface, on_one_host=options.nodes == 1)
        address = address_of(chosen)
    except Refusal as refusal:
        return [fault(topic, refusal.faults[0].what, refusal.faults[0].cure)]
    except OSError as error:
        seen = f"no address for the cluster ({error.strerror or error}); interfaces that are up: {known}"
        return [fault(topic, seen, NAME_ONE)]
    name = next((name for name, text in here.items() if address in text.split(", ")), "an address")
    seen = f"{known}; the cluster would use {chosen.interface if chosen else name} ({address})"
    if options.nodes > 1 and is_loopback(address):
        return [fault(topic, f"{seen}, which no other host can reach", NAME_ONE)]
    return [ok(topic, seen)]


def loopback(options: Options) -> list[Line]:
    """Send a byte over loopback."""
    topic = "loopback"
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(CONNECT_SECONDS)
            with socket.create_connection(server.getsockname(), CONNECT_SECONDS) as sending:
                receiving, _ = server.accept()
                with receiving:
                    sending.sendall(b"?")
                    answered = receiving.recv(1) == b"?"
    except OSError as error:
        return [fault(topic, f"127.0.0.1 does not work ({error})", "bring the interface lo up")]
    if not answered:
        return [fault(topic, "127.0.0.1 lost a message", "ask the administrators")]
    return [ok(topic, "127.0.0.1 answers")]


def ports(options: Options) -> list[Line]:
    """Report whether this host has enough ports for the ranks of a fit."""
    topic = "ports"
    try:
        first, last = map(int, PORT_RANGE.read_text().split())
    except (OSError, ValueError) as error:
        return [warning(topic, f"port range not known ({error})")]
    ranks = options.ranks_of_fit
    seen = f"{first} to {last}, for {counted(ranks, 'rank')}"
    if last - first + 1 < PORTS_FOR_A_RANK * ranks:
        cure = "widen net.ipv4.ip_local_port_range, or start fewer ranks"
        return [warning(topic, f"too few: {seen}", cure)]
    return [ok(topic, seen)]


def _default_address() -> str:
    """Return the address used for the default route.

    Compute nodes may have no default route; then return the address in the fastest network, or else
    that of the host name.
    """
    # Connecting a datagram socket sends nothing: the kernel only looks up the route.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as looking:
        try:
            looking.connect(("8.8.8.8", 80))
            return str(looking.getsockname()[0])
        except OSError:
            shared = next(iter(interfaces.networks().values()), None)
            return shared or socket.gethostbyname(socket.gethostname())
