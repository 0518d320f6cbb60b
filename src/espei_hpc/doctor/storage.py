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
from espei_hpc.text import counted

MEGABYTE = 1_000_000
ROOM = 200 * MEGABYTE
"""Space for a long chain of a large fit and its logs; with less, a fit may fill the disk."""
SHM_FOR_A_RANK = 6 * MEGABYTE
"""MPICH 4 and 5 took 5.4 MB per rank and crash with less; Open MPI needs less."""
FLEETING = {"overlay", "ramfs", "tmpfs"}
NO_FLOCK = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
ELSEWHERE = "name a writable directory with --dir (for espei-mpi with --run-dir)"


@dataclass(frozen=True)
class MountedFileSystem:
    """A mounted file system.

    Attributes:
        point: where it is mounted.
        type: file system type, by the kernel's name.
        options: mount options.
    """

    point: Path
    type: str
    options: tuple[str, ...]


def mount_of(path: Path) -> MountedFileSystem:
    """Return the mounted file system that contains a path."""
    path = path.resolve()
    holding = MountedFileSystem(Path("/"), "unknown", ())
    for line in Path("/proc/mounts").read_text().splitlines():
        _, point, type_, options, *_ = line.split()
        # White space is escaped as octal numbers.
        mounted = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), point))
        # A later mount hides an earlier one at the same mount point.
        if path.is_relative_to(mounted) and len(mounted.parts) >= len(holding.point.parts):
            holding = MountedFileSystem(mounted, type_, tuple(options.split(",")))
    return holding


def directory(options: Options) -> list[Line]:
    """Write, rename and lock files in the fit's directory, as a fit does."""
    topic = "directory"
    try:
        with tempfile.TemporaryDirectory(prefix=".espei-doctor-", dir=options.directory) as made:
            _write_and_replace(Path(made))
            locks = _locks(Path(made))
    except OSError as error:
        seen = f"{options.directory} cannot be used ({error.strerror or error})"
        return [fault(topic, seen, ELSEWHERE)]
    seen = f"{options.directory}: write, rename"
    if locks is None:
        # As checkpoint.lock does.
        return [ok(topic, f"{seen} work; no locks (flock), so a run's lock uses its time stamp instead")]
    if not locks:
        cure = "start only one fit at a time in it"
        return [warning(topic, f"{seen} work; locks (flock) do not exclude other processes", cure)]
    return [ok(topic, f"{seen} and lock work")]


def file_system(options: Options) -> list[Line]:
    """Report the file system of the fit's directory.

    Whether other hosts share it cannot be known from its type; the ranks of a trial see (``shared``).
    """
    topic = "file system"
    mount = mount_of(options.directory)
    seen = f"{mount.type} at {mount.point}"
    if mount.type in FLEETING:
        return [
            warning(topic, f"{seen}: files there may be lost when the job ends", "use a disk of the host")
        ]
    return [ok(topic, seen)]


def room(options: Options) -> list[Line]:
    """Report the free space on the disk of the fit's directory, without quotas."""
    return _room("room", options.directory)


def tmpdir(options: Options) -> list[Line]:
    """Check that TMPDIR, which launchers and libraries use, exists, is writable and has space."""
    topic = "TMPDIR"
    path = Path(options.environment.get("TMPDIR") or "/tmp")  # noqa: S108 (the usual default of TMPDIR)
    try:
        with tempfile.NamedTemporaryFile(dir=path) as file:
            file.write(bytes(4096))
            file.flush()
    except OSError as error:
        cure = "set TMPDIR to a writable directory; in a container, one that is bound"
        return [fault(topic, f"{path} cannot be used ({error.strerror or error})", cure)]
    return _room(topic, path)


def shm(options: Options) -> list[Line]:
    """Compare the space in /dev/shm, which MPI uses between ranks of one host, with their number."""
    topic = "/dev/shm"  # noqa: S108 (checked, not used)
    try:
        usage = shutil.disk_usage(topic)
    except OSError as error:
        return [warning(topic, f"cannot be read ({error.strerror or error})", "mount it: MPI may need it")]
    seen = f"{_size(usage.free)} free of {_size(usage.total)}"
    if not os.access(topic, os.W_OK):
        return [warning(topic, f"{seen}, but not writable", "mount it with mode 1777")]
    ranks = options.ranks_on_a_host
    need = SHM_FOR_A_RANK * ranks
    if usage.free < need:
        seen = f"{seen}, but MPICH needs {_size(need)} for {counted(ranks, 'rank')} and crashes with less"
        return [warning(topic, seen, "remove old files from it; podman and docker: --shm-size 2g")]
    return [ok(topic, f"{seen}, enough for {counted(ranks, 'rank')}")]


def _room(topic: str, path: Path) -> list[Line]:
    try:
        disk = os.statvfs(path)
    except OSError as error:
        return [warning(topic, f"{path} cannot be read ({error.strerror or error})")]
    free = disk.f_bavail * disk.f_frsize
    seen = f"{_size(free)} free in {path}"
    # Some file systems count no files.
    if disk.f_files and not disk.f_favail:
        return [fault(topic, f"no inodes left in {path}: no file can be created", "remove some files")]
    if free < MEGABYTE:
        return [fault(topic, seen, "free some space")]
    if free < ROOM:
        return [warning(topic, seen, "free some space: a long fit may need more")]
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
        raise OSError("a renamed file did not replace the other")


def _locks(directory: Path) -> bool | None:
    """Return whether a lock excludes others; None if the file system does not support locks."""
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
