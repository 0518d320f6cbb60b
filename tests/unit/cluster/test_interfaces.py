"""The network interface of a cluster: asked for or chosen, and refused where it cannot work."""

import multiprocessing
import subprocess
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TypeVar

import pytest

from espei_hpc.cluster.interfaces import Endpoint, choose, networks, shared
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from needs import require
from support import wait_until
from unit.doctor.looking import NETWORK, libc

MIXED = """
ip link add ib0 type veth peer name other0; ip link add eth0 type veth peer name other1
ip address add fe80::7/64 dev ib0 nodad; ip address add fd00:2::1/64 dev ib0 nodad
ip address add fd00:1::1/64 dev ib0 nodad
ip address add 192.0.2.1/24 dev eth0; ip address add fd00:3::1/64 dev eth0 nodad
for name in lo ib0 eth0 other0 other1; do ip link set $name up; done
"""
"""A fast interface with IPv6 addresses alone, and another with both."""
LINK_LOCAL = "ip link add eth0 type veth peer name eth1; ip link set eth0 up; ip link set eth1 up"
T = TypeVar("T")


def with_network(setup: str, look: Callable[[], T]) -> T:
    """Return what is seen on a host whose interfaces are made by ``setup``, in bash."""
    require("root", "iproute2")
    # Forked: nothing is imported anew.
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, fork, initializer=_make_network, initargs=(setup,)) as host:
        seen: T = host.submit(look).result()
        return seen


def _make_network(setup: str) -> None:
    assert libc().unshare(NETWORK) == 0
    subprocess.run(["bash", "-ec", setup], check=True)
    wait_until(_settled, "interfaces that are up, with their addresses")


def _settled() -> bool:
    """Whether the kernel has brought up every interface and has given it its link-local address."""
    links = [line for line in _ip("link", "show", "up") if not line.split()[1].startswith("lo:")]
    addressed = {line.split()[1] for line in _ip("-6", "address")}
    names = {line.split()[1].rstrip(":").split("@")[0] for line in links}
    up = all("LOWER_UP" in line for line in links)
    return up and names <= addressed and not _ip("-6", "address", "show", "tentative")


def _ip(*words: str) -> list[str]:
    done = subprocess.run(["ip", "-oneline", *words], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def test_ranks_on_one_host_talk_over_loopback() -> None:
    assert choose(None, on_one_host=True) == Endpoint("lo", "127.0.0.1")


def test_ranks_on_several_hosts_are_left_to_dask() -> None:
    assert choose(None, on_one_host=False) is None


def test_interface_asked_for_is_taken() -> None:
    assert choose("lo", on_one_host=True) == Endpoint("lo", "127.0.0.1")


def test_network_that_all_hosts_are_on_is_found() -> None:
    hosts = {
        "n1": {"10.1.0.0/16": "10.1.0.1", "192.0.2.0/24": "192.0.2.1"},
        "n2": {"192.0.2.0/24": "192.0.2.2", "10.2.0.0/16": "10.2.0.1"},
    }
    assert shared(hosts) == "192.0.2.0/24"


def test_of_several_networks_the_first_hosts_fastest_is_taken() -> None:
    slow_first = {"10.1.0.0/16": "10.1.0.2", "10.2.0.0/16": "10.2.0.2"}
    hosts = {"n1": {"10.2.0.0/16": "10.2.0.1", "10.1.0.0/16": "10.1.0.1"}, "n2": slow_first}
    assert shared(hosts) == "10.2.0.0/16"


def test_bridge_with_the_same_address_on_every_host_is_none_of_their_networks() -> None:
    bridge = {"172.17.0.0/16": "172.17.0.1"}
    assert shared({"n1": bridge, "n2": bridge}) is None


def test_interface_of_the_shared_network_is_chosen() -> None:
    network, address = next(iter(networks().items()), (None, None))
    chosen = choose(None, on_one_host=False, network=network)
    assert chosen is None if network is None else chosen is not None and chosen.address == address


def test_network_of_ipv6_alone_that_all_hosts_are_on_is_found() -> None:
    hosts = {
        "n1": {"10.1.0.0/16": "10.1.0.1", "fd00:1::/64": "fd00:1::1"},
        "n2": {"10.2.0.0/16": "10.2.0.1", "fd00:1::/64": "fd00:1::2"},
    }
    assert shared(hosts) == "fd00:1::/64"


def test_networks_of_ipv4_come_before_faster_ones_of_ipv6_and_link_local_ones_do_not_count() -> None:
    found = with_network(MIXED, networks)
    assert next(iter(found)) == "192.0.2.0/24"
    assert list(found)[-1] == "fd00:3::/64"
    assert found == {
        "192.0.2.0/24": "192.0.2.1",
        "fd00:1::/64": "fd00:1::1",
        "fd00:2::/64": "fd00:2::1",
        "fd00:3::/64": "fd00:3::1",
    }


@pytest.mark.parametrize(
    ("asked", "network", "interface", "address"),
    [
        # Dask takes an interface's IPv4 address, if it has one.
        ("eth0", "fd00:3::/64", "eth0", "192.0.2.1"),
        # Of several IPv6 addresses only that in the network that all hosts are on reaches them.
        ("ib0", "fd00:1::/64", "ib0", "fd00:1::1"),
        ("ib0", "fd00:2::/64", "ib0", "fd00:2::1"),
        (None, "192.0.2.0/24", "eth0", "192.0.2.1"),
        (None, "fd00:3::/64", "eth0", "fd00:3::1"),
    ],
)
def test_address_is_of_ipv6_only_where_ipv4_does_not_serve(
    asked: str | None, network: str, interface: str, address: str
) -> None:
    chosen = with_network(MIXED, partial(choose, asked, on_one_host=False, network=network))
    assert chosen == Endpoint(interface, address)


def test_dask_is_told_an_address_of_ipv6_alone_and_in_brackets() -> None:
    assert Endpoint("ib0", "fd00:1::1").host == "[fd00:1::1]"
    assert Endpoint("ib0", "192.0.2.1").host is None


def test_unknown_interface_is_refused_with_the_ipv6_addresses_there_are() -> None:
    told = with_network(MIXED, partial(refusal, "ib7"))
    assert "no interface 'ib7'" in told
    assert "fd00:1::1" in told


def test_interface_with_a_link_local_address_alone_is_refused() -> None:
    told = with_network(LINK_LOCAL, partial(refusal, "eth0"))
    assert "interface 'eth0' on host" in told
    assert "has no address to listen on" in told
    assert "eth0 (fe80::" in told


def refusal(asked: str) -> str:
    """Return the words with which an interface is refused."""
    with pytest.raises(Refusal) as refused:
        choose(asked, on_one_host=False)
    return str(refused.value)


def test_unknown_interface_is_refused_with_those_there_are() -> None:
    with pytest.raises(Refusal, match=r"no interface 'ib7'.*lo \(127\.0\.0\.1") as refused:
        choose("ib7", on_one_host=True)
    assert refused.value.code is ExitCode.CONFIGURATION


def test_loopback_is_refused_where_it_reaches_no_other_host() -> None:
    with pytest.raises(Refusal, match="reaches no other host"):
        choose("lo", on_one_host=False)
