"""Run all checks in parallel, each with a timeout."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from espei_hpc.doctor import batch_time, engine, limits, mpi, network, storage
from espei_hpc.doctor import pmi as slurm
from espei_hpc.doctor.finding import Line, Severity, warning
from espei_hpc.doctor.options import Options
from espei_hpc.doctor.running import TERM_SECONDS

CHEAP_SECONDS = 0.8
SECONDS = 15.0


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        topic: name shown if the check does not answer.
        look: function that runs the check.
        cheap: whether it starts no launcher and does not query the batch system.
        in_fit: whether it also runs before a fit; the other checks are about ways to start one.
    """

    topic: str
    look: Callable[[Options], list[Line]]
    cheap: bool = True
    in_fit: bool = True

    def deadline(self, options: Options) -> float:
        """Timeout of the check in seconds."""
        if options.cheap:
            return CHEAP_SECONDS
        return options.seconds + 2 * TERM_SECONDS if self.look is mpi.world else SECONDS


CHECKS = (
    Check("engine", engine.engine, in_fit=False),
    Check("libc", engine.libc, in_fit=False),
    Check("user namespaces", engine.user_namespaces, in_fit=False),
    Check("/dev/fuse", engine.fuse, in_fit=False),
    Check(batch_time.TOPIC, batch_time.time_left),
    Check("CPU time", limits.cpu_time),
    Check("cores", limits.cores),
    Check("threads", limits.threads),
    Check("open files", limits.open_files),
    Check("directory", storage.directory),
    Check("file system", storage.file_system),
    Check("room", storage.room),
    Check("TMPDIR", storage.tmpdir),
    Check("/dev/shm", storage.shm),  # noqa: S108 (a topic)
    Check("host name", network.host_name),
    Check("interfaces", network.interface),
    Check("loopback", network.loopback),
    Check("ports", network.ports),
    Check(slurm.TOPIC, slurm.pmi_kinds, cheap=False),
    Check(mpi.TOPIC, mpi.world, cheap=False),
)


def examine(options: Options) -> list[Line]:
    """Run all requested checks and return their lines in a fixed order.

    Every check gives at least one line, also if it raises or times out.
    """
    return _look_at([check for check in CHECKS if check.cheap or not options.cheap], options)


def obstacles(options: Options) -> list[Line]:
    """Run the cheap checks before a fit and return their warnings and faults."""
    lines = _look_at([check for check in CHECKS if check.cheap and check.in_fit], options)
    return [line for line in lines if line.state != Severity.OK]


def _look_at(checks: Sequence[Check], options: Options) -> list[Line]:
    looks = [_RunningCheck(check, options) for check in checks]
    return [line for look in looks for line in look.lines()]


class _RunningCheck:
    """A running check, in a thread that is abandoned if it does not end.

    Args:
        check: the check.
        options: the options of the examination.
    """

    def __init__(self, check: Check, options: Options) -> None:
        self._check = check
        self._options = options
        self._seconds = check.deadline(options)
        self._end = time.monotonic() + self._seconds
        self._lines: list[Line] | None = None
        self._thread = threading.Thread(target=self._look, name=check.topic, daemon=True)
        self._thread.start()

    def lines(self) -> list[Line]:
        """Wait for the check and return its lines."""
        self._thread.join(max(0.0, self._end - time.monotonic()))
        if self._lines is None:
            seen = f"no answer within {self._seconds:g} s"
            return [warning(self._check.topic, seen, "try again; a file or name server may be slow or down")]
        return self._lines

    def _look(self) -> None:
        try:
            self._lines = self._check.look(self._options)
        except Exception as error:
            self._lines = [warning(self._check.topic, f"check failed ({error!r})")]
