"""Network interfaces of this host, and the one over which the ranks talk."""

import ipaddress
import socket
from collections.abc import Mapping

import psutil

from espei_hpc.exit_codes import ExitCode
from espei_hpc.faults import Fault, Refusal

LOOPBACK = "lo"
FAST = ("ib", "hsn", "hsi", "opa")
"""How interfaces of InfiniBand, Slingshot and Omni-Path are called, which often tell no speed."""


def addresses() -> dict[str, str]:
    """Return the IP addresses of each interface that is up, as text."""
    up = psutil.net_if_stats()
    return {
        name: ", ".join(a.address for a in entries if a.family in (socket.AF_INET, socket.AF_INET6))
        for name, entries in psutil.net_if_addrs().items()
        if name in up and up[name].isup
    }


def networks() -> dict[str, str]:
    """Return this host's address in each network that it is on, but for loopback, the fastest first.

    Networks of IPv4 alone: Dask knows interfaces by those.
    """
    stats = psutil.net_if_stats()
    found = []
    for name, entries in psutil.net_if_addrs().items():
        if name == LOOPBACK or name not in stats or not stats[name].isup:
            continue
        fast = (name.startswith(FAST), stats[name].speed)
        found += [(fast, entry) for entry in entries if entry.family == socket.AF_INET and entry.netmask]
    found.sort(key=lambda one: one[0], reverse=True)
    return {_network(entry.address, str(entry.netmask)): entry.address for _, entry in found}


def shared(hosts: Mapping[str, Mapping[str, str]]) -> str | None:
    """Return the network that reaches all hosts; None if there is none.

    A bridge for a host's own containers has the same address on every host, and reaches none of them.

    Args:
        hosts: what ``networks`` returned on each; of several networks the first host's fastest is taken.
    """
    first, *others = hosts.values()
    for network in first:
        there = [host.get(network) for host in (first, *others)]
        if None not in there and len(set(there)) == len(there):
            return network
    return None


def choose(asked: str | None, *, on_one_host: bool, network: str | None = None) -> str | None:
    """Return the interface Dask is to use; None lets Dask take the one of the default route.

    Ranks that are all on one host talk over loopback, which nobody else hears.

    Args:
        asked: what the user asks for.
        on_one_host: whether all ranks are on one.
        network: one that reaches all hosts; None if none is known.

    Raises:
        Refusal: (CONFIGURATION) if the interface asked for does not exist here, or does not reach the others.
    """
    if asked is None:
        return LOOPBACK if on_one_host else _interface_in(network)
    if asked == LOOPBACK and not on_one_host:
        what = f"{LOOPBACK} reaches no other host, and the ranks are on several"
        cure = "leave it out; without encryption (--insecure) name an interface that all hosts have"
        raise Refusal(ExitCode.CONFIGURATION, [Fault("--interface", what, cure)])
    here = addresses()
    if asked not in here:
        known = "; ".join(f"{name} ({text or 'no address'})" for name, text in here.items())
        what = f"there is no interface '{asked}' on host {socket.gethostname()}"
        raise Refusal(
            ExitCode.CONFIGURATION, [Fault("--interface", what, f"those that are up there: {known}")]
        )
    return asked


def _network(address: str, netmask: str) -> str:
    return str(ipaddress.ip_network(f"{address}/{netmask}", strict=False))


def _interface_in(network: str | None) -> str | None:
    for name, entries in psutil.net_if_addrs().items():
        for entry in entries:
            known = entry.family == socket.AF_INET and entry.netmask
            if known and _network(entry.address, str(entry.netmask)) == network:
                return name
    return None
