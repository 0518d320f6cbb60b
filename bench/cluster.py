"""A Dask cluster on this machine, as our own ranks and the documented hand-made way configure it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import distributed
import psutil

from espei_hpc.cluster import dask_settings
from processes import BIN, child, wait_until

PER_PROCESS = 16
"""Workers in one process, where they only sleep."""

CONFIG = "dask.yaml"

QUIET = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "30s",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "30s",
}
"""The housekeeping of 127 workers would use most of a core; on a cluster each has its own core."""


@dataclass
class Cluster:
    """A running cluster.

    Attributes:
        scheduler_file: file with the scheduler's address.
        scheduler: its process.
        workers: their processes.
    """

    scheduler_file: Path
    scheduler: psutil.Process
    workers: list[psutil.Process]

    def cpu_seconds(self) -> tuple[float, float]:
        """CPU seconds used so far by the scheduler and by all worker processes."""
        return _cpu(self.scheduler), sum(_cpu(worker) for worker in self.workers)


@contextmanager
def running(directory: Path, workers: int, *, sleepers: bool = False) -> Iterator[Cluster]:
    """Run a scheduler and single-threaded workers.

    Args:
        directory: for the scheduler file and logs.
        workers: how many.
        sleepers: whether they only sleep: then many share a process.
    """
    dask_settings.write(directory, encrypted=False)
    scheduler_file = directory / "scheduler.json"
    more = {"DASK_CONFIG": str(directory / CONFIG)} | (QUIET if sleepers else {})
    with ExitStack() as stack:
        output = stack.enter_context((directory / "cluster.log").open("wb"))

        def start(*words: str | Path) -> psutil.Process:
            started = stack.enter_context(child(*words, cwd=directory, more=more, output=output))
            return psutil.Process(started.pid)

        dask: list[str | Path] = [BIN / "python", "-m", "distributed.cli.dask_scheduler", "--no-dashboard"]
        scheduler = start(*dask, "--host", "127.0.0.1", "--port", "0", "--scheduler-file", scheduler_file)
        wait_until(scheduler_file.exists, "the scheduler file")
        processes = -(-workers // PER_PROCESS) if sleepers else workers
        script = Path(__file__).with_name("many_workers.py")
        shares = [workers // processes + (number < workers % processes) for number in range(processes)]
        started = [start(BIN / "python", script, scheduler_file, str(share)) for share in shares]
        with distributed.Client(scheduler_file=str(scheduler_file), set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=120)
        yield Cluster(scheduler_file, scheduler, started)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
