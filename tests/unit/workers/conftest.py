"""Clusters and pools for the tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import distributed
import pytest

from espei_hpc.workers.pool import Pool
from unit.workers.pool_cluster import QUICK, SHORT, Cluster, Runs
from unit.workers.pool_evaluators import Evaluator


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One for all tests; each asks for the workers that it needs."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[Callable[..., Cluster]]:
    """For what leaves a cluster unusable."""
    made: list[Cluster] = []

    def make(security: dict[str, str] | None = None) -> Cluster:
        made.append(Cluster(tmp_path, security or {}))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def client(cluster: Cluster) -> Iterator[distributed.Client]:
    with cluster.client(direct_to_workers=True) as client:
        yield client


@pytest.fixture
def runs(client: distributed.Client) -> Iterator[Runs]:
    """A pool with short limits on the shared cluster, not started yet."""
    with Pool(client, Evaluator, b"same", bounds=QUICK, limits=SHORT) as pool:
        yield Runs(pool)
