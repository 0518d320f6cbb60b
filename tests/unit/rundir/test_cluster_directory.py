"""The directory of one start of a cluster."""

import stat
from pathlib import Path

import pytest

from espei_hpc.cluster import dask_settings, prepare
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.cluster_directory import ClusterDirectory
from espei_hpc.rundir.files import read_json


@pytest.fixture
def directory(tmp_path: Path) -> ClusterDirectory:
    """An own cluster's directory."""
    return prepare.own_cluster(tmp_path / "x.run", prepare.ClusterRequest(3))


def test_directory_is_private(directory: ClusterDirectory) -> None:
    for path in (directory.run_directory, directory.path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["key.pem", "certificate.pem", "dask.yaml"])
def test_keys_and_configuration_are_private(name: str, directory: ClusterDirectory) -> None:
    assert stat.S_IMODE((directory.path / name).stat().st_mode) == 0o600


def test_every_start_has_a_directory_and_a_certificate_of_its_own(tmp_path: Path) -> None:
    one = prepare.own_cluster(tmp_path / "x.run", prepare.ClusterRequest(3))
    two = prepare.own_cluster(tmp_path / "x.run", prepare.ClusterRequest(3))
    assert one.id != two.id
    assert (one.path / "key.pem").read_text() != (two.path / "key.pem").read_text()


def test_settings_are_read_as_written(directory: ClusterDirectory) -> None:
    settings = directory.settings()
    assert (settings.ranks, settings.interface, settings.encrypted) == (3, None, True)
    assert settings.scheduler_file == str(directory.path / "scheduler.json")


def test_what_ranks_report_is_one_refusal_with_each_fault_once(directory: ClusterDirectory) -> None:
    refusal = Refusal(ExitCode.CONFIGURATION, [Fault("MPI", "does not fit")])
    for rank in range(3):
        directory.report(str(rank), refusal)
    told = directory.faults()
    assert told is not None
    assert (told.code, told.faults) == (ExitCode.CONFIGURATION, refusal.faults)


def test_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.run").write_text("a file where the directory should be")
    with pytest.raises(Refusal) as refused:
        prepare.own_cluster(tmp_path / "x.run", prepare.ClusterRequest(3))
    assert refused.value.code == ExitCode.CANNOT_CREATE


def test_half_written_json_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "half.json"
    path.write_text('{"address": "tls')
    assert read_json(path) is None


def test_removed_start_leaves_no_empty_directory(directory: ClusterDirectory) -> None:
    directory.remove()
    assert not directory.run_directory.exists()


def test_keys_can_be_removed_while_the_logs_stay(directory: ClusterDirectory) -> None:
    directory.launcher_log.write_text("why it failed")
    directory.remove_keys()
    assert not (directory.path / "key.pem").exists()
    assert directory.log_tail() == ("why it failed",)


def test_encrypted_cluster_demands_encryption_of_all(tmp_path: Path) -> None:
    comm = dask_settings.settings(tmp_path, encrypted=True)["distributed"]["comm"]
    assert comm["require-encryption"] is True
    assert comm["default-scheme"] == "tls"
