"""The cluster, brought up once for all tests, and a user's login for each."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch.slurm import Slurm
from batch.slurm.login import Login
from needs import require
from support import Commands


@pytest.fixture(scope="session")
def cluster() -> Iterator[Slurm]:
    """Slurm with four idle nodes."""
    require("Slurm", "root")
    # Not pytest's own, which is for one user.
    with tempfile.TemporaryDirectory(prefix="espei-hpc-test-") as directory:
        place = Path(directory)
        place.chmod(0o755)
        slurm = Slurm(place)
        yield slurm
        slurm.close()


@pytest.fixture
def slurm(cluster: Slurm, commands: Commands, request: pytest.FixtureRequest) -> Iterator[Login]:
    """An ordinary user on an idle cluster, in an empty directory; afterwards nothing of the user runs."""
    directory = Path(tempfile.mkdtemp(prefix=f"{request.node.originalname}-", dir=cluster.user.home))
    commands.directory = directory
    login = Login(cluster, commands, directory)
    login.own()
    yield login
    login.log_out()
