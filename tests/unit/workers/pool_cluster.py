"""A real scheduler and real worker processes, to be killed and stopped, and what tests do with a pool."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import distributed

import espei_hpc
from espei_hpc.workers.dispatch import Bounds, Job
from espei_hpc.workers.limits import Limits
from espei_hpc.workers.pool import Pool
from espei_hpc.workers.results import Done, Failed
from support import PATIENCE, wait_until

SHORT = Limits(making=60.0, workers=20.0, answer=60.0, poll=0.2, deaths=3, pause=0.3)
QUICK = Bounds(times=5.0, margin=1.0, unknown=60.0, seen=3)
PATHS = os.pathsep.join([str(Path(__file__).parents[2]), str(Path(espei_hpc.__file__).parents[1])])


@dataclass
class Cluster:
    """A scheduler and its workers, each a process."""

    directory: Path
    security: dict[str, str] = field(default_factory=dict)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    scheduler: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.scheduler = self._start("scheduler", "--port=0", "--no-show", f"--scheduler-file={self.file}")
        wait_until(self.file.exists, "the scheduler's file")

    @property
    def file(self) -> Path:
        return self.directory / "scheduler.json"

    def worker(self, slowness: float = 1.0) -> subprocess.Popen[bytes]:
        words = [f"--scheduler-file={self.file}", "--nthreads=1", "--no-nanny", "--memory-limit=0"]
        words.append(f"--local-directory={self.directory}")
        self.workers.append(self._start("worker", *words, slowness=slowness))
        return self.workers[-1]

    def have(self, count: int) -> list[subprocess.Popen[bytes]]:
        """Bring the living workers to this number, and wait until the scheduler knows just them."""
        with self.client() as client:

            def just_them() -> bool:
                # A worker that is being killed may be seen as a living one for a moment.
                self.workers = [worker for worker in self.workers if worker.poll() is None]
                for _ in range(count - len(self.workers)):
                    self.worker()
                for worker in self.workers[count:]:
                    worker.kill()
                    worker.wait()
                known: int = client.scheduler_info()["n_workers"]
                return known == len(self.workers) == count

            wait_until(just_them, f"{count} workers")
        return list(self.workers)

    def known(self, count: int) -> None:
        """Wait until the scheduler knows so many workers."""
        with self.client() as client:
            wait_until(lambda: client.scheduler_info()["n_workers"] == count, f"{count} workers")

    def client(self, **options: Any) -> distributed.Client:
        files = {name.replace("-", "_"): path for name, path in self.security.items()}
        files = (
            {"tls_ca_file": files.pop("ca_file"), **{f"tls_client_{n}": p for n, p in files.items()}}
            if files
            else {}
        )
        security = distributed.Security(require_encryption=True, **files) if files else None
        return distributed.Client(
            scheduler_file=str(self.file), security=security, set_as_default=False, **options
        )

    def stop(self) -> None:
        for process in [*self.workers, self.scheduler]:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()

    def _start(self, what: str, *words: str, slowness: float = 1.0) -> subprocess.Popen[bytes]:
        tls = [f"--tls-{name}={path}" for name, path in self.security.items()]
        scheme = "tls" if self.security else "tcp"
        common = ["--no-dashboard", "--dashboard-address=127.0.0.1:0", "--host", f"{scheme}://127.0.0.1"]
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{what}", *common, *tls, *words],
            env=os.environ | {"PYTHONPATH": PATHS, "POOL_TEST_SLOWNESS": str(slowness)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@dataclass
class Runs:
    """What tests do with a pool."""

    pool: Pool

    def start(self, workers: int) -> Any:
        description = self.pool.start(lambda: None)
        self.until(lambda: self.pool.workers == workers, f"{workers} evaluators")
        return description

    def until(self, look: Callable[[], object], what: str) -> list[Done | Failed]:
        """Take what comes until ``look`` is true."""
        came: list[Done | Failed] = []
        end = time.monotonic() + PATIENCE
        while not look():
            assert time.monotonic() < end, f"not in time: {what}"
            came += self.pool.wait(0.1)
        return came

    def all(self, jobs: list[Job]) -> list[Done | Failed]:
        """Run jobs, as many at a time as there is room for, and return each one's end."""
        came: list[Done | Failed] = []
        left = list(jobs)
        end = time.monotonic() + PATIENCE
        while len(came) < len(jobs):
            assert time.monotonic() < end, f"{len(came)} of {len(jobs)} ends"
            while left and self.pool.room():
                self.pool.give(left.pop(0))
            came += self.pool.wait(0.1)
        return came

    def left_nothing(self, other: distributed.Client) -> None:
        """Wait until neither scheduler nor workers keep anything."""

        def kept() -> int:
            actors: dict[str, int] = other.run(lambda dask_worker: len(dask_worker.state.actors))
            tasks: int = other.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
            return tasks + sum(actors.values())

        wait_until(lambda: kept() == 0, "a cluster that keeps nothing")

    def note(self, *words: str) -> str:
        """Wait for a note that has all these words."""

        def find() -> str:
            self.pool.wait(0.0)
            return next((note for note in self.pool.notes if all(word in note for word in words)), "")

        return wait_until(find, f"a note with {words}")


def job(key: object, what: str, *arguments: Any) -> Job:
    return Job(key, what, (what, *arguments))
