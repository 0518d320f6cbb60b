"""The network interface of a cluster: asked for or chosen, and refused where it cannot work."""

import pytest

from espei_hpc.cluster.interfaces import addresses, choose
from espei_hpc.exit_codes import ExitCode
from espei_hpc.faults import Refusal


def test_ranks_on_one_host_talk_over_loopback() -> None:
    assert choose(None, on_one_host=True) == "lo"


def test_ranks_on_several_hosts_are_left_to_dask() -> None:
    assert choose(None, on_one_host=False) is None


def test_interface_asked_for_is_taken() -> None:
    name = next(iter(addresses()))
    assert choose(name, on_one_host=True) == name


def test_unknown_interface_is_refused_with_those_there_are() -> None:
    with pytest.raises(Refusal, match=r"no interface 'ib7'.*lo \(127\.0\.0\.1") as refused:
        choose("ib7", on_one_host=True)
    assert refused.value.code is ExitCode.CONFIGURATION


def test_loopback_is_refused_where_it_reaches_no_other_host() -> None:
    with pytest.raises(Refusal, match="reaches no other host"):
        choose("lo", on_one_host=False)
