"""A network of IPv6 addresses alone carries a cluster: real processes, in a network of the test's own."""

from pathlib import Path

import pytest

from espei_hpc.rundir.files import read_json
from fits import Chain
from support import Commands, wait_until

ADDRESS = "fd00:1::1"
NETWORK = f"""
ip link set lo up
ip link add ib7 type veth peer name other
ip address add {ADDRESS}/64 dev ib7 nodad
ip link set other up
ip link set ib7 up
exec "$@"
"""
IN_IT = ("unshare", "--net", "bash", "-ec", NETWORK, "bash")


@pytest.mark.needs("root", "iproute2")
def test_interface_with_ipv6_addresses_alone_carries_the_fit(
    commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    run = commands.start(*IN_IT, "espei-mpi", "--in", small_fit, "-n", "3", "--interface", "ib7")
    files = small_fit.with_suffix(".run")

    def address() -> str:
        told = [read_json(file) for file in files.glob("cluster/*/scheduler.json")]
        return str(told[0]["address"]) if told and told[0] else ""

    assert wait_until(address, "the scheduler's file").startswith(f"tls://[{ADDRESS}]:")
    result = run.finish()
    assert result.code == 0, result.output
    assert Chain.load(small_fit.parent).equals(stock_chain)
