"""A host's name, interfaces, loopback and ports are told: real faults, in namespaces of the test's own."""

from pathlib import Path

import pytest

from espei_hpc.doctor import network
from espei_hpc.doctor.finding import Severity
from espei_hpc.doctor.options import Options
from unit.doctor.looking import HOST_NAME, MOUNTS, NETWORK, look

ALLOCATION = {"SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "2", "SLURM_NTASKS": "4"}


def test_host_name_without_an_address_is_a_warning(tmp_path: Path) -> None:
    # Without a name server, whose answer could be late.
    setup = "hostname no-such-host.invalid; mount --bind /dev/null /etc/resolv.conf"
    line = look(tmp_path, setup, namespaces=HOST_NAME | MOUNTS)["host name"]
    assert line.state == "warning"
    assert "'no-such-host.invalid'" in line.seen
    assert "/etc/hosts" in line.cure


def test_host_name_that_means_loopback_is_ok_on_one_host_and_told_on_several(tmp_path: Path) -> None:
    setup = "hostname localhost"
    assert look(tmp_path, setup, namespaces=HOST_NAME)["host name"].state == "ok"
    line = look(tmp_path, setup, namespaces=HOST_NAME, variables=ALLOCATION)["host name"]
    assert line.state == "warning"
    assert "itself on every host" in line.seen


def test_loopback_that_is_down_is_a_fault(tmp_path: Path) -> None:
    seen = look(tmp_path, namespaces=NETWORK)
    assert seen["loopback"].state == "fault"
    assert seen["interfaces"].state == "fault"
    assert "has no address to listen on" in seen["interfaces"].seen


@pytest.mark.needs("iproute2")
def test_loopback_alone_serves_one_host_but_not_several(tmp_path: Path) -> None:
    setup = "hostname localhost; ip link set lo up"
    one = look(tmp_path, setup, namespaces=NETWORK | HOST_NAME)
    assert one["loopback"].state == one["interfaces"].state == "ok"
    several = look(tmp_path, setup, namespaces=NETWORK | HOST_NAME, variables=ALLOCATION)
    assert several["interfaces"].state == "fault"
    assert "no other host can reach" in several["interfaces"].seen


@pytest.mark.needs("iproute2")
def test_interface_of_the_default_route_is_the_one_for_several_hosts(tmp_path: Path) -> None:
    setup = (
        "ip link set lo up; ip link add ib7 type veth peer name other; ip address add 10.9.8.7/24 dev ib7; "
        "ip link set other up; ip link set ib7 up; ip route add default dev ib7"
    )
    line = look(tmp_path, setup, namespaces=NETWORK, variables=ALLOCATION)["interfaces"]
    assert line.state == "ok"
    assert "the cluster would use ib7 (10.9.8.7)" in line.seen


@pytest.mark.needs("iproute2")
def test_without_a_route_several_hosts_use_the_network_of_ipv6_that_there_is(tmp_path: Path) -> None:
    setup = (
        "ip link set lo up; ip link add ib7 type veth peer name other; ip link set other up; "
        "ip address add fd00:1::1/64 dev ib7 nodad; ip link set ib7 up"
    )
    line = look(tmp_path, setup, namespaces=NETWORK, variables=ALLOCATION)["interfaces"]
    assert line.state == "ok"
    assert "the cluster would use ib7 (fd00:1::1)" in line.seen


def test_interface_asked_for_that_is_not_there_is_a_fault_naming_those_that_are(tmp_path: Path) -> None:
    (line,) = network.interface(Options(tmp_path, interface="ib9"))
    assert line.state == Severity.FAULT
    assert "no interface 'ib9'" in line.seen
    assert "lo (127.0.0.1" in line.cure


def test_few_ports_for_many_ranks_are_a_warning(tmp_path: Path) -> None:
    setup = 'echo "50000 50099" > /proc/sys/net/ipv4/ip_local_port_range'
    few = look(tmp_path, setup, namespaces=NETWORK, ranks=64)["ports"]
    assert few.state == "warning"
    assert "50000 to 50099, for 64 ranks" in few.seen
    assert look(tmp_path, setup, namespaces=NETWORK, ranks=4)["ports"].state == "ok"
