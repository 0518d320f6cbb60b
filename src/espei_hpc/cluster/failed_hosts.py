"""Hosts to exclude when a lost cluster is restarted.

These are hosts that no longer answer, and hosts on which ranks died in two starts according to
the launcher's logs.
"""

import socket
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from espei_hpc.cluster import interfaces
from espei_hpc.mpi.launchers import KINDS
from espei_hpc.rundir.cluster_directory import ClusterDirectory
from espei_hpc.rundir.files import read_json

ASK_SECONDS = 10.0
"""Timeout of one connection; a host that swaps answers late."""
ASKED_AT_ONCE = 64
ANY_PORT = 8786
MOST_DEATHS = 2


@dataclass(frozen=True)
class Lost:
    """What is known of a lost cluster.

    Attributes:
        ranks_on: number of ranks on each host, in the launcher's order.
        silent: hosts that did not answer afterwards.
        died: hosts on which ranks were killed.
    """

    ranks_on: dict[str, int]
    silent: frozenset[str]
    died: frozenset[str]

    @classmethod
    def read(cls, directory: ClusterDirectory) -> "Lost":
        """Read the files of a lost start."""
        ranks = directory.ranks()
        content = read_json(directory.lost_file)
        silent = content["silent"] if isinstance(content, dict) else ()
        died = died_on("\n".join(directory.log_tail(lines=200)))
        return cls(dict(Counter(ranks[rank]["host"] for rank in sorted(ranks))), frozenset(silent), died)


def silent_hosts(directory: ClusterDirectory) -> list[str]:
    """Return the hosts of a cluster that do not answer; none if no common network is known.

    A running host at least refuses a connection; one that is down or unreachable does not answer.
    """
    networks = {content["host"]: content["networks"] for content in directory.ranks().values()}
    network = interfaces.shared(networks) if len(networks) > 1 else None
    if network is None:
        return []
    port = _port(directory.scheduler_file)
    with ThreadPoolExecutor(ASKED_AT_ONCE) as threads:
        answers = threads.map(lambda known: _answers(known[network], port), networks.values())
    return [host for host, there in zip(networks, answers, strict=True) if not there]


def died_on(log: str) -> frozenset[str]:
    """Return the hosts on which ranks were killed, according to a launcher's log."""
    return frozenset(host for kind in KINDS for pattern in kind.died for host in pattern.findall(log))


def left_out(lost: Sequence[Lost]) -> dict[str, str]:
    """Return the hosts to exclude from the next start, and why.

    Args:
        lost: the lost starts, oldest first. Deaths of ranks alone never exclude the last host.
    """
    silent = dict.fromkeys(sorted(host for one in lost for host in one.silent), "it does not answer")
    deaths = Counter(host for one in lost for host in one.died)
    dying = {
        host: f"ranks died on it in {count} starts"
        for host, count in sorted(deaths.items())
        if count >= MOST_DEATHS
    }
    if set(lost[-1].ranks_on) <= silent.keys() | dying.keys():
        dying = {}
    return dying | silent


def _port(scheduler_file: Path) -> int:
    """Return the scheduler's port: a firewall that allows Dask's connections allows ours."""
    content = read_json(scheduler_file)
    port = content["address"].rpartition(":")[2] if content else ""
    return int(port) if port.isdecimal() else ANY_PORT


def _answers(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=ASK_SECONDS):
            return True
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
