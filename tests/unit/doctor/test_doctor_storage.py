"""What hinders a fit on disks is told: real mounts, in a namespace of the test's own."""

from pathlib import Path

import pytest

from espei_hpc.doctor import storage
from espei_hpc.doctor.finding import Severity
from espei_hpc.doctor.options import Options
from unit.doctor.looking import MOUNTS, look

ALLOCATION = {"SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "2", "SLURM_NTASKS": "4"}


def test_directory_that_can_be_used_is_ok_and_left_as_it_was(tmp_path: Path) -> None:
    (line,) = storage.directory(Options(tmp_path))
    assert line.state == Severity.OK
    assert line.seen.endswith("write, rename and lock work")
    assert list(tmp_path.iterdir()) == []


def test_read_only_directory_is_a_fault_with_another_place_as_cure(tmp_path: Path) -> None:
    line = look(tmp_path, f"mount -t tmpfs -o ro none {tmp_path}", namespaces=MOUNTS)["directory"]
    assert line.state == "fault"
    assert "Read-only file system" in line.seen
    assert "--run-dir" in line.cure


def test_missing_directory_is_a_fault(tmp_path: Path) -> None:
    (line,) = storage.directory(Options(tmp_path / "nowhere"))
    assert line.state == Severity.FAULT
    assert "No such file" in line.seen


def test_full_disk_is_a_fault_of_directory_and_room(tmp_path: Path) -> None:
    fill = f"mount -t tmpfs -o size=100k none {tmp_path}"
    seen = look(tmp_path, fill, namespaces=MOUNTS)
    assert "No space left" in seen["directory"].seen
    assert seen["directory"].state == seen["room"].state == "fault"
    # How much there was before the other check wrote, or after.
    assert "kB free" in seen["room"].seen


def test_disk_on_which_no_more_files_can_be_made_is_a_fault(tmp_path: Path) -> None:
    seen = look(tmp_path, f"mount -t tmpfs -o nr_inodes=1 none {tmp_path}", namespaces=MOUNTS)
    assert seen["room"].state == "fault"
    assert "inodes" in seen["room"].seen


def test_little_room_is_a_warning(tmp_path: Path) -> None:
    seen = look(tmp_path, f"mount -t tmpfs -o size=100M none {tmp_path}", namespaces=MOUNTS)
    assert seen["directory"].state == "ok"
    assert seen["room"].state == "warning"


def test_memory_is_told_as_no_place_for_results(tmp_path: Path) -> None:
    line = look(tmp_path, f"mount -t tmpfs none {tmp_path}", namespaces=MOUNTS)["file system"]
    assert line.state == "warning"
    assert line.seen.startswith(f"tmpfs at {tmp_path}")


def test_mount_point_with_a_blank_is_found(tmp_path: Path) -> None:
    place = tmp_path / "my data"
    place.mkdir()
    line = look(place, f"mount -t tmpfs none '{place}'", namespaces=MOUNTS)["file system"]
    assert line.seen.startswith(f"tmpfs at {place}")


def test_nothing_is_said_of_other_hosts_which_a_name_cannot_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ext4", "xfs", "nfs4"):
        mounted = storage.MountedFileSystem(tmp_path, name, ())
        monkeypatch.setattr(storage, "mount_of", lambda _, found=mounted: found)
        (line,) = storage.file_system(Options(tmp_path, environment=ALLOCATION))
        assert (line.state, line.seen) == (Severity.OK, f"{name} at {tmp_path}")


def test_missing_tmpdir_is_a_fault(tmp_path: Path) -> None:
    (line,) = storage.tmpdir(Options(tmp_path, environment={"TMPDIR": str(tmp_path / "scratch")}))
    assert line.state == Severity.FAULT
    assert str(tmp_path / "scratch") in line.seen
    assert "in a container, one that is bound" in line.cure


@pytest.mark.parametrize(("ranks", "state"), [(10, "ok"), (64, "warning")])
def test_shared_memory_is_held_against_the_ranks_that_are_to_be(
    ranks: int, state: str, tmp_path: Path
) -> None:
    # As docker and podman give it.
    small = "mount -t tmpfs -o size=64M none /dev/shm"
    line = look(tmp_path, small, namespaces=MOUNTS, ranks=ranks)["/dev/shm"]
    assert line.state == state
    assert ("--shm-size" in line.cure) == (state == "warning")
