"""What happens if the process that has started this one is killed, and how Apptainer's image outlives it.

Without setuid, Apptainer has an image mounted by a program such as squashfuse_ll, on the host. If a batch
system signals all processes of a job, this program ends; then a page of the image that is not in memory yet
is a Bus error. If Apptainer itself is killed, nobody ends the program, and it stays on the host for ever.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1
MADV_POPULATE_READ = 22
"""Of madvise(2), since Linux 5.14; earlier kernels refuse it."""
STARTER = "starter"
"""How the name of the process begins that Apptainer keeps outside of a container."""
SHARED_MEMORY = "/dev/shm/"  # noqa: S108 # what MPI has made there
# Their numbers: this process, Apptainer, those that mount its image. A zombie has no command line.
END_AFTER = """
tail --sleep-interval=0.1 --pid="$1" -f /dev/null
[[ $(<"/proc/$2/cmdline") ]] || kill "${@:3}"
"""


def end_with_parent() -> None:
    """Make the kernel send this process SIGTERM when its parent dies.

    Open MPI 5 leaves its ranks running when mpirun is killed; Apptainer has its processes killed with it.
    """
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(frozen=True)
class Apptainer:
    """The parent of a process in an Apptainer image.

    Attributes:
        process: Apptainer's own process.
        mounting: the processes that mount the image.
    """

    process: int
    mounting: tuple[int, ...]

    def keep_image(self) -> None:
        """Read all that this process has loaded into memory (300 MB in 0.3 s): it may lose its image."""
        madvise = ctypes.CDLL(None).madvise
        for begin, end, _ in _mapped():
            madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), MADV_POPULATE_READ)

    def clean_up(self) -> None:
        """Call at the end of this process: if Apptainer is killed, nothing stays on this host.

        Then the image is unmounted after this process, and MPI's shared memory is removed now.
        """
        if os.getppid() != self.process:
            for _, _, path in _mapped():
                if path.startswith(SHARED_MEMORY):
                    with contextlib.suppress(OSError):
                        Path(path).unlink()
        # Also if Apptainer lives: a launcher may be about to kill it. Without the image there is no bash.
        with contextlib.suppress(OSError):
            subprocess.Popen(
                ["bash", "-c", END_AFTER, "-", *map(str, (os.getpid(), self.process, *self.mounting))],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )


@cache
def apptainer() -> Apptainer | None:
    """Return this process's parent if it is Apptainer, and a program mounts its image; else None."""
    parent = psutil.Process().parent()
    if parent is None or not parent.name().startswith(STARTER):
        return None
    mounting = tuple(child.pid for child in parent.children() if "fuse" in child.name())
    return Apptainer(parent.pid, mounting) if mounting else None


def _mapped() -> Iterator[tuple[int, int, str]]:
    """Return begin, end and path of each readable part of this process's memory that is a file's."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, rights, _, _, _, *path = line.split(maxsplit=5)
        if path and path[0].startswith("/") and rights.startswith("r"):
            begin, end = (int(address, 16) for address in addresses.split("-"))
            yield begin, end, path[0]
