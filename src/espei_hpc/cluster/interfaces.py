"""Network interfaces of this host, and the one that the ranks use."""

import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode

LOOPBACK = "lo"
FAST = ("ib", "hsn", "hsi", "opa")
"""Name prefixes of InfiniBand, Slingshot and Omni-Path interfaces, which often report no speed."""
IP = (socket.AF_INET, socket.AF_INET6)
Own = ipaddress.IPv4Interface | ipaddress.IPv6Interface


@dataclass(frozen=True)
class Endpoint:
    """Where Dask listens.

    Attributes:
        interface: name of the interface.
        address: this host's address on it.
    """

    interface: str
    address: str

    @property
    def host(self) -> str | None:
        """An IPv6 address in the form Dask needs; None for IPv4, which Dask finds by the interface."""
        return f"[{self.address}]" if ":" in self.address else None


def addresses() -> dict[str, str]:
    """Return the IP addresses of each interface that is up, as text."""
    up = psutil.net_if_stats()
    return {
        name: ", ".join(a.address for a in entries if a.family in IP)
        for name, entries in psutil.net_if_addrs().items()
        if name in up and up[name].isup
    }


def networks() -> dict[str, str]:
    """Return this host's address in each of its networks, without loopback and link-local IPv6.

    IPv4 networks come before IPv6 networks, each sorted by speed, fastest first.
    """
    stats = psutil.net_if_stats()
    here = _usable()
    fastest_first = sorted(here, key=lambda name: (name.startswith(FAST), stats[name].speed), reverse=True)
    found: dict[str, str] = {}
    for version in (4, 6):
        for name in fastest_first:
            for own in here[name] if name != LOOPBACK else ():
                if own.version == version:
                    # Two interfaces may be in the same network.
                    found.setdefault(str(own.network), str(own.ip))
    return found


def shared(hosts: Mapping[str, Mapping[str, str]]) -> str | None:
    """Return the network that connects all hosts; None if there is none.

    A container bridge has the same address on every host and connects none of them.

    Args:
        hosts: result of ``networks`` on each host. Of several common networks, the fastest of the first
            host is returned.
    """
    first, *others = hosts.values()
    for network in first:
        there = [host.get(network) for host in (first, *others)]
        if None not in there and len(set(there)) == len(there):
            return network
    return None


def choose(
    asked: str | None, *, on_one_host: bool, network: str | None = None, option: str = "--interface"
) -> Endpoint | None:
    """Return where Dask listens; None lets Dask use the interface of the default route.

    Ranks that are all on one host use loopback, which other hosts cannot reach.

    Args:
        asked: the interface that the user requests; None to choose.
        on_one_host: whether all ranks are on one host.
        network: a network that connects all hosts; None if none is known.
        option: the option by which it is requested.

    Raises:
        Refusal: (CONFIGURATION) if the requested interface does not exist here, has no address, or does
            not reach the other hosts.
    """
    if asked is None and not on_one_host:
        return _in_network(network)
    if asked == LOOPBACK and not on_one_host:
        what = f"{LOOPBACK} reaches no other host, but the ranks run on several hosts"
        cure = f"leave out {option}; with --insecure name an interface that all hosts have"
        raise _refusal(option, what, cure)
    return _on(asked or LOOPBACK, network, option)


def _on(name: str, network: str | None, option: str) -> Endpoint:
    here, host = addresses(), socket.gethostname()
    own = _usable().get(name, [])
    if own:
        # With several IPv6 addresses, all hosts must use that of the same network.
        best = min(own, key=lambda one: (one.version, str(one.network) != network))
        return Endpoint(name, str(best.ip))
    if name in here or name == LOOPBACK:
        what = f"interface '{name}' on host {host} has no address to listen on"
    else:
        what = f"there is no interface '{name}' on host {host}"
    known = "; ".join(f"{up} ({text or 'no address'})" for up, text in here.items())
    raise _refusal(option, what, f"interfaces that are up: {known}")


def _refusal(option: str, what: str, cure: str) -> Refusal:
    return Refusal(ExitCode.CONFIGURATION, [Fault(option, what, cure)])


def _in_network(network: str | None) -> Endpoint | None:
    address = networks().get(network) if network else None
    for name, own in _usable().items():
        if address and address in (str(one.ip) for one in own):
            return Endpoint(name, address)
    return None


def _usable() -> dict[str, list[Own]]:
    """Return the addresses of each interface that is up; not link-local IPv6, whose scope Dask drops."""
    up = psutil.net_if_stats()
    return {
        name: [_own(entry) for entry in entries if entry.family in IP and "%" not in entry.address]
        for name, entries in psutil.net_if_addrs().items()
        if name in up and up[name].isup
    }


def _own(entry: Any) -> Own:
    # For IPv6, ipaddress accepts only a prefix length, not a netmask.
    bits = int(ipaddress.ip_address(entry.netmask)).bit_count() if entry.netmask else ""
    return ipaddress.ip_interface(f"{entry.address}/{bits}".rstrip("/"))
