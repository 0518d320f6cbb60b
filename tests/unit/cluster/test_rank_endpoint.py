"""Where a rank listens."""

import json
from pathlib import Path

import pytest

from espei_hpc.cluster import prepare, rank
from espei_hpc.cluster.world import World
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode

WORKER = World(rank=1, size=4, hosts=("n1", "n1", "n1", "n2"), library="libmpi.so.12")


def worker_options(directory: Path, request: prepare.ClusterRequest) -> dict[str, object]:
    arguments = rank.dask_mpi_arguments(prepare.own_cluster(directory, request), None)
    text = next(word for word in arguments if word.startswith("--worker-options="))
    found: dict[str, object] = json.loads(text.partition("=")[2])
    return found


def test_ports_are_any_free_ones_by_default(tmp_path: Path) -> None:
    request = prepare.ClusterRequest(3)
    assert "--scheduler-port=0" in rank.dask_mpi_arguments(prepare.own_cluster(tmp_path, request), None)
    assert "port" not in worker_options(tmp_path, request)


def test_fewer_ports_than_workers_of_a_host_are_refused(tmp_path: Path) -> None:
    enough, few = (
        prepare.own_cluster(tmp_path, prepare.ClusterRequest(4, worker_ports=ports)).settings()
        for ports in ("9000:9001", "9000:9000")
    )
    rank.endpoint(enough, WORKER)
    with pytest.raises(Refusal, match="9000:9000 has 1 port, but host n1 has 2 workers") as refused:
        rank.endpoint(few, WORKER)
    assert refused.value.code == ExitCode.CONFIGURATION


def test_interface_of_the_workers_is_refused_by_its_option(tmp_path: Path) -> None:
    request = prepare.ClusterRequest(4, worker_interface="none0")
    with pytest.raises(Refusal, match="--worker-interface: there is no interface 'none0'"):
        rank.endpoint(prepare.own_cluster(tmp_path, request).settings(), WORKER)
