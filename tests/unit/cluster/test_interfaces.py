"""The network interface of a cluster: asked for or chosen, and refused where it cannot work."""

import pytest

from espei_hpc.cluster.interfaces import addresses, choose, networks, shared
from espei_hpc.exit_codes import ExitCode
from espei_hpc.faults import Refusal


def test_ranks_on_one_host_talk_over_loopback() -> None:
    assert choose(None, on_one_host=True) == "lo"


def test_ranks_on_several_hosts_are_left_to_dask() -> None:
    assert choose(None, on_one_host=False) is None


def test_interface_asked_for_is_taken() -> None:
    name = next(iter(addresses()))
    assert choose(name, on_one_host=True) == name


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
    assert chosen is None if network is None else str(address) in addresses()[str(chosen)]


def test_unknown_interface_is_refused_with_those_there_are() -> None:
    with pytest.raises(Refusal, match=r"no interface 'ib7'.*lo \(127\.0\.0\.1") as refused:
        choose("ib7", on_one_host=True)
    assert refused.value.code is ExitCode.CONFIGURATION


def test_loopback_is_refused_where_it_reaches_no_other_host() -> None:
    with pytest.raises(Refusal, match="reaches no other host"):
        choose("lo", on_one_host=False)
