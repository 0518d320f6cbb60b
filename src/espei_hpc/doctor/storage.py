"""The disks of this host: the directory of the fit, TMPDIR, /dev/shm."""

import errno
import fcntl
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from espei_hpc.doctor.finding import Line, fault, ok, warning
from espei_hpc.doctor.options import Options

MEGABYTE = 1_000_000
ROOM = 200 * MEGABYTE
"""A long chain of a large fit and its logs; below this a fit may stop for want of room."""
SHM_FOR_A_RANK = 6 * MEGABYTE
"""MPICH 4 and 5 took 5.4 MB for each rank, and without that much they crash; Open MPI does with less."""
LOCAL = {"btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "ramfs", "tmpfs", "xfs", "zfs"}
FLEETING = {"overlay", "ramfs", "tmpfs"}
NO_FLOCK = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
ELSEWHERE = "name a directory that can be written (--dir), for espei-mpi with --run-dir"


@dataclass(frozen=True)
class MountedFileSystem:
    """A mounted file system.

    Attributes:
        point: where it is mounted.
        type: as the kernel calls it.
        options: of the mount.
    """

    point: Path
    type: str
    options: tuple[str, ...]


def mount_of(path: Path) -> MountedFileSystem:
    """Return the file system that holds a path."""
    path = path.resolve()
    holding = MountedFileSystem(Path("/"), "unknown", ())
    for line in Path("/proc/mounts").read_text().splitlines():
        _, point, type_, options, *_ = line.split()
        # Blanks and their like are told as octal numbers.
        mounted = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), point))
        # A later one hides an earlier one at the same place.
        if path.is_relative_to(mounted) and len(mounted.parts) >= len(holding.point.parts):
            holding = MountedFileSystem(mounted, type_, tuple(options.split(",")))
    return holding


def directory(options: Options) -> list[Line]:
    """Do in the fit's directory what a fit does: write, replace a file by renaming, lock."""
    topic = "directory"
    try:
        with tempfile.TemporaryDirectory(prefix=".espei-doctor-", dir=options.directory) as made:
            _write_and_replace(Path(made))
            locks = _locks(Path(made))
    except OSError as error:
        seen = f"{options.directory} cannot be used ({error.strerror or error})"
        return [fault(topic, seen, ELSEWHERE)]
    seen = f"{options.directory}: written, renamed"
    if locks is None:
        # As checkpoint.lock does.
        return [ok(topic, f"{seen}; it has no locks (flock), a run's lock lives by its time stamp instead")]
    if not locks:
        cure = "start one fit at a time in it"
        return [warning(topic, f"{seen}; its locks (flock) keep nobody out", cure)]
    return [ok(topic, f"{seen}, locked")]


def file_system(options: Options) -> list[Line]:
    """Tell the type of the file system of the fit's directory."""
    topic = "file system"
    mount = mount_of(options.directory)
    seen = f"{mount.type} at {mount.point}"
    if options.nodes > 1 and mount.type in LOCAL:
        cure = "use one that all hosts of the allocation share"
        return [warning(topic, f"{seen}, which other hosts hardly see as theirs", cure)]
    if mount.type in FLEETING:
        return [
            warning(topic, f"{seen}: what is written there may vanish afterwards", "use a disk of the host")
        ]
    return [ok(topic, seen)]


def room(options: Options) -> list[Line]:
    """Tell the room on the disk of the fit's directory; what a quota leaves is not seen."""
    return _room("room", options.directory)


def tmpdir(options: Options) -> list[Line]:
    """Tell whether TMPDIR is there, can be written and has room: launchers and libraries use it."""
    topic = "TMPDIR"
    path = Path(options.environment.get("TMPDIR") or "/tmp")  # noqa: S108 (what everyone takes without TMPDIR)
    try:
        with tempfile.NamedTemporaryFile(dir=path) as file:
            file.write(bytes(4096))
            file.flush()
    except OSError as error:
        cure = "set TMPDIR to a directory that can be written; in a container, one that is bound"
        return [fault(topic, f"{path} cannot be used ({error.strerror or error})", cure)]
    return _room(topic, path)


def shm(options: Options) -> list[Line]:
    """Compare the room in /dev/shm, through which the MPI ranks of one host talk, with their number."""
    topic = "/dev/shm"  # noqa: S108 (looked at, not used)
    try:
        usage = shutil.disk_usage(topic)
    except OSError as error:
        return [
            warning(topic, f"cannot be seen ({error.strerror or error})", "have it mounted: MPI may need it")
        ]
    seen = f"{_size(usage.free)} free of {_size(usage.total)}"
    if not os.access(topic, os.W_OK):
        return [warning(topic, f"{seen}, but it cannot be written", "have it mounted with mode 1777")]
    ranks = options.ranks_on_a_host
    need = SHM_FOR_A_RANK * ranks
    if usage.free < need:
        seen = f"{seen}, {_size(need)} for {ranks} ranks would keep MPICH from crashing; Open MPI takes less"
        return [warning(topic, seen, "remove what is left there; podman and docker: --shm-size 2g")]
    return [ok(topic, f"{seen}, enough for {ranks} ranks")]


def _room(topic: str, path: Path) -> list[Line]:
    try:
        disk = os.statvfs(path)
    except OSError as error:
        return [warning(topic, f"{path} cannot be seen ({error.strerror or error})")]
    free = disk.f_bavail * disk.f_frsize
    seen = f"{_size(free)} free in {path}"
    # Some file systems count no files.
    if disk.f_files and not disk.f_favail:
        return [fault(topic, f"no file can be made any more in {path} (inodes)", "remove some files")]
    if free < MEGABYTE:
        return [fault(topic, seen, "make room")]
    if free < ROOM:
        return [warning(topic, seen, "make room: a long fit may need more")]
    return [ok(topic, seen)]


def _write_and_replace(directory: Path) -> None:
    old, new = directory / "old", directory / "new"
    old.write_bytes(b"old")
    with new.open("wb") as file:
        file.write(bytes(MEGABYTE))
        file.flush()
        os.fsync(file.fileno())
    new.replace(old)
    if old.stat().st_size != MEGABYTE or new.exists():
        raise OSError("a renamed file did not take the other's place")


def _locks(directory: Path) -> bool | None:
    """Return whether a lock keeps others out; None if the file system has none."""
    with (directory / "lock").open("w") as first, (directory / "lock").open("w") as second:
        try:
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError as error:
            if error.errno in NO_FLOCK:
                return None
            raise
    return False


def _size(count: int) -> str:
    for unit, size in (("GB", 1000 * MEGABYTE), ("MB", MEGABYTE)):
        if count >= size:
            return f"{count / size:.3g} {unit}" if count < 1000 * size else f"{count // size} {unit}"
    return f"{count // 1000} kB"
