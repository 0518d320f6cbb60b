"""Network interfaces of this host."""

import socket

import psutil

from espei_hpc.exit_codes import ExitCode
from espei_hpc.faults import Fault, Refusal


LOOPBACK = "lo"


def addresses() -> dict[str, str]:
    """Return the IP addresses of each interface that is up, as text."""
    up = psutil.net_if_stats()
    return {
        name: ", ".join(a.address for a in entries if a.family in (socket.AF_INET, socket.AF_INET6))
        for name, entries in psutil.net_if_addrs().items()
        if name in up and up[name].isup
    }


def choose(asked: str | None, *, on_one_host: bool) -> str | None:
    """Return the interface Dask is to use; None lets Dask take the one of the default route.

    Ranks that are all on one host talk over loopback, which nobody else hears.

    Raises:
        Refusal: (CONFIGURATION) if the interface asked for does not exist here, or does not reach the others.
    """
    if asked is None:
        return LOOPBACK if on_one_host else None
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
