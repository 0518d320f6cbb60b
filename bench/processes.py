"""Child processes of the benchmarks: each in its own process group, which is always ended."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from espei_hpc.parent_process import end_with_parent

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
"""Where this Python environment has its commands."""

ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "MPI4PY_MPIABI": "none",
    "OMP_NUM_THREADS": "1",
    # Else stock espei sometimes fails on Dask: the client's update leaves its list of workers empty.
    "DASK_DISTRIBUTED__CLIENT__SCHEDULER_INFO_INTERVAL": "1h",
}
"""The same for ours and for stock."""

ENDING_SECONDS = 10.0


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a child: this one's, with the commands and modules of this project."""
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    here = {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": ":".join(path for path in paths if path)}
    return dict(os.environ) | ENVIRONMENT | here | dict(more or {})


@contextmanager
def child(
    *words: str | Path,
    cwd: Path,
    more: Mapping[str, str] | None = None,
    output: int | IO[bytes] = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in the background; afterwards end its whole process group.

    Args:
        words: the command.
        cwd: where it runs.
        more: of its environment, besides what all children have.
        output: where its standard output and standard error go.
    """
    process = subprocess.Popen(
        [str(word) for word in words],
        cwd=cwd,
        env=environment(more),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=end_with_parent,  # in case this process is killed
    )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a child's whole process group, first by TERM."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(ENDING_SECONDS)


def wait_until(look: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
    """Wait until ``look`` is true.

    Raises:
        TimeoutError: if it does not become so.
    """
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)
