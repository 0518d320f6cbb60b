"""A lock: at most one run per run directory.

On one machine the kernel's lock on the file (flock) decides; it ends with its
process. Between machines flock may not work, or may outlive its process. So the
holder touches the file regularly, and a lock that was not touched for a while is
free. Times are compared by the file server's clock only.
"""

import contextlib
import errno
import fcntl
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.files import PRIVATE, PRIVATE_DIRECTORY, reason
from espei_hpc.rundir.holder import Holder, LockView

LOCK = "lock"
TOUCH_SECONDS = 10.0
WAIT_SECONDS = 75.0
"""How long to wait for another machine's lock to expire: a killed job may restart elsewhere at once."""
LOOK_SECONDS = 1.0
CONFIRM_SECONDS = 2.0
"""Two machines may take an expired lock at the same moment; after this time the last writer has it."""
_NO_FLOCK = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


def is_free(descriptor: int) -> bool | None:
    """Whether no process holds the kernel's lock; None if the file system has no locks.

    This takes a shared lock and releases it with the file: a fit that starts at this very moment
    retries a second later.
    """
    with contextlib.suppress(OSError):
        return _flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return None


class Lock:
    """Keeps other runs out of a run directory while its holder is running.

    Args:
        directory: the run directory; created if it does not exist.
        job: batch system and job, for messages to other runs; empty outside a job.
    """

    def __init__(self, directory: Path, job: str = "") -> None:
        self._directory = directory
        self._path = directory / LOCK
        self._me = Holder.here(job)
        self._descriptor: int | None = None
        self._made = False
        self._end = threading.Event()
        # A forked child without exec would keep the kernel's lock after this process ends.
        os.register_at_fork(after_in_child=self._close)

    def acquire(self, still_wanted: Callable[[], None] = lambda: None) -> None:
        """Take the lock.

        On one machine this takes about a second. For another machine's lock it waits up to about
        75 s, until it is known whether the holder is running.

        Args:
            still_wanted: called between two checks; raises to give up (after a signal).

        Raises:
            Refusal: (UNAVAILABLE) if another run holds it; (CANNOT_CREATE) if it cannot be written.
        """
        try:
            self._directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            self._wait(still_wanted)
        except OSError as error:
            self._close()
            raise _cannot_lock(self._path, error) from error
        except BaseException:
            self._close()
            raise
        self._end.clear()
        threading.Thread(target=self._touch, name="lock", daemon=True).start()

    def check(self) -> None:
        """Check that this process still holds the lock; call before each write, it is cheap.

        A machine that hung for a minute may have lost it to another.

        Raises:
            Refusal: (UNAVAILABLE) if another run has taken it.
        """
        holder, _ = self._read()
        if holder is not None and holder != self._me:
            raise self._refusal(holder)

    def release(self) -> None:
        """Release the lock; do nothing if it was not acquired."""
        self._end.set()
        if self._descriptor is not None and self._is_ours():
            with contextlib.suppress(OSError):
                self._path.unlink()
        self._close()

    def _wait(self, still_wanted: Callable[[], None]) -> None:
        """Wait until the lock is free and take it; refuse if it is held, or not known to be free in time."""
        end = time.monotonic() + WAIT_SECONDS
        earlier = None
        while True:
            still_wanted()
            descriptor = self._open()
            look = self._look(descriptor)
            if look is not None and look.is_free(self._me.machine):
                return self._take(descriptor, look)
            if time.monotonic() > end or (look is not None and look.is_held(self._me.machine, earlier)):
                raise self._refusal(look.holder if look else None)
            earlier = earlier or look
            # The process that created the file may be about to lock it: do not prevent that.
            _flock(descriptor, fcntl.LOCK_UN)
            time.sleep(LOOK_SECONDS)

    def _open(self) -> int:
        """Open the file that has the name now: the last holder may have removed an earlier one."""
        if self._descriptor is not None and self._bears_name(self._descriptor):
            return self._descriptor
        self._close()
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            descriptor, self._made = os.open(self._path, flags | os.O_EXCL, PRIVATE), True
        except FileExistsError:
            descriptor, self._made = os.open(self._path, flags, PRIVATE), False
        self._descriptor = descriptor
        return descriptor

    def _look(self, descriptor: int) -> LockView | None:
        """Try the kernel's lock and read the file; None if another file has the name by now."""
        flocked = _flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        holder, touched = self._read()
        if not self._bears_name(descriptor):
            return None
        with tempfile.TemporaryFile(dir=self._directory) as fresh:
            age = (os.fstat(fresh.fileno()).st_mtime_ns - touched) / 1e9
        return LockView(self._made, flocked, holder, touched, age)

    def _take(self, descriptor: int, look: LockView) -> None:
        content = self._me.packed()
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, content, 0)
        os.fsync(descriptor)
        if not look.is_decided(self._me.machine):
            time.sleep(CONFIRM_SECONDS)
            self.check()

    def _bears_name(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def _read(self) -> tuple[Holder | None, int]:
        """Return the holder named in the file, and when it was touched, ns.

        The file is reopened, because NFS queries its server only then.
        """
        try:
            with self._path.open("rb") as file:
                return Holder.parse(file.read()), os.fstat(file.fileno()).st_mtime_ns
        except FileNotFoundError:
            return None, 0

    def _is_ours(self) -> bool:
        with contextlib.suppress(OSError):
            return self._read()[0] == self._me
        return False

    def _touch(self) -> None:
        """Show other machines that this process is running."""
        while not self._end.wait(TOUCH_SECONDS):
            if self._is_ours():
                with contextlib.suppress(OSError):
                    os.utime(self._path)

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _refusal(self, holder: Holder | None) -> Refusal:
        who = f"another run is using it: {holder}" if holder else "another run is starting in it"
        fault = Fault(str(self._directory), who, "wait until it ends, stop it, or use another --run-dir")
        return Refusal(ExitCode.UNAVAILABLE, [fault])


def _flock(descriptor: int, operation: int) -> bool | None:
    """Request the kernel's lock; None if the file system has none."""
    try:
        fcntl.flock(descriptor, operation)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_FLOCK:
            raise
        return None
    return True


def _cannot_lock(path: Path, error: OSError) -> Refusal:
    fault = Fault(
        str(path),
        f"cannot be written ({reason(error)})",
        "make its directory writable, or use another --run-dir",
    )
    return Refusal(ExitCode.CANNOT_CREATE, [fault])
