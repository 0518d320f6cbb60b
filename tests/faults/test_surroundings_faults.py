"""A cluster beside no fit, one without encryption (row 28), and surroundings that are odd (row 29)."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from finished_fit import Finished
from fits import Chain
from needs import require
from strangers import SOMEBODY, greeted, opened, place_of
from support import Commands, running_cluster, wait_until


@pytest.fixture
def open_directory(commands: Commands) -> Iterator[Path]:
    """A working directory that other users may pass and read, which pytest's own are not."""
    place = Path(tempfile.mkdtemp(prefix="espei-hpc-test-"))
    place.chmod(0o755)
    commands.directory = place
    yield place
    shutil.rmtree(place, ignore_errors=True)


def test_fault_28_another_user_of_the_host_reads_no_file_of_start_cluster(
    commands: Commands, open_directory: Path
) -> None:
    require("root")
    control = open_directory / "control"
    control.touch(mode=0o644)
    with running_cluster(commands, "-n", "2"):
        assert commands.run("wait-for-cluster", "--scheduler-file", "my_scheduler.json").code == 0
        place = open_directory / "my_scheduler.run"
        files = [open_directory / "my_scheduler.json", place, *place.rglob("*")]
        assert place / "dask.yaml" in files
        assert opened([control, *files], SOMEBODY) == {str(control)}
        assert files[0].stat().st_mode & 0o777 == 0o600


def test_fault_28_start_cluster_answers_nobody_without_its_certificate(commands: Commands) -> None:
    with running_cluster(commands, "-n", "2") as cluster:
        assert commands.run("wait-for-cluster", "--scheduler-file", "my_scheduler.json").code == 0
        offered = commands.directory / "my_scheduler.run" / "dask.yaml"
        assert f"export DASK_CONFIG={offered}" in cluster.output
        assert offered.stat().st_mode & 0o777 == 0o600
        told = json.loads((commands.directory / "my_scheduler.json").read_text())
        place = place_of(told["address"])
        assert not greeted(place, user=[])
        assert not greeted(place, "none", user=[])
    assert not offered.exists()


def test_fault_28_without_encryption_it_says_so_and_listens_on_loopback_alone(
    commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    run = commands.start("espei-mpi", "--in", small_fit, "-n", "3", "--insecure")
    run.wait_for_output("iteration ")
    ours = {
        connection.laddr.ip
        for process in run.processes()
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_ESTABLISHED and "espei_hpc" in process.cmdline()
    }
    result = run.finish()
    assert result.code == 0, result.output
    assert "INSECURE: anyone who can reach the scheduler's port can run any program as you" in result.output
    assert ours <= {"127.0.0.1"}
    assert Chain.load(small_fit.parent).equals(stock_chain)


def test_fault_28_key_and_address_are_removed_with_the_cluster(finished_fit: Finished) -> None:
    left = {path.name for path in finished_fit.input.with_suffix(".run").rglob("*")}
    assert not left & {"key.pem", "certificate.pem", "scheduler.json"}


def test_fault_29_odd_surroundings_leave_stocks_chain(
    commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    odd = small_fit.parent / "a fit — Müllers"
    odd.mkdir()
    for path in (*small_fit.parent.glob("*.json"), *small_fit.parent.glob("*.tdb"), small_fit):
        shutil.move(path, odd)
    shutil.move(small_fit.parent / "datasets", odd)
    for name in ("yaml.py", "numpy.py", "distributed.py"):
        (odd / name).write_text("raise SystemExit('this is not the library')\n")
    commands.directory = odd
    nowhere = {"HOME": "/proc/nowhere", "TMPDIR": "/nonexistent", "LANG": "C", "LC_ALL": "C"}
    result = commands.run("espei-mpi", "--in", "x.yaml", "-n", "3", env=nowhere)
    assert result.code == 0, result.output
    assert Chain.load(odd).equals(stock_chain)
    wait_until(lambda: not commands.left(), "the end of all processes")
