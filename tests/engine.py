"""Our own engine in the test's process, on a cluster of processes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import distributed
import psutil

from espei_hpc.fit.graph_fit import GraphFit
from espei_hpc.fit.opening import VERIFY, Opening, opened
from espei_hpc.fit.stop import Stopper
from espei_hpc.fit.walltime import Walltime
from support import BIN, Commands, wait_until


@contextmanager
def cluster(commands: Commands, workers: int, *options: str | Path) -> Iterator[list[psutil.Process]]:
    """Keep up a scheduler and workers, each a process of its own; give the workers.

    Args:
        commands: starts them, in the directory that gets the scheduler's file.
        workers: how many.
        options: more options of each worker.
    """
    python = str(BIN / "python")
    words = [python, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    scheduler = commands.start(*words, "--no-dashboard", "--scheduler-file", "s.json")
    wait_until(Path(commands.directory / "s.json").exists, "the scheduler file")
    words = [
        python,
        "-m",
        "distributed.cli.dask_worker",
        "--scheduler-file",
        "s.json",
        "--nthreads",
        "1",
    ]
    options = (*options, "--no-nanny", "--no-dashboard", "--host", "127.0.0.1", "--local-directory", ".")
    seed = {"PYTHONHASHSEED": "0", "MPI4PY_MPIABI": "none", "OMP_NUM_THREADS": "1"}
    started = [commands.start(*words, *options, env=seed) for _ in range(workers)]
    try:
        with distributed.Client(scheduler_file=str(commands.directory / "s.json"), timeout=60) as client:
            client.wait_for_workers(workers, timeout=120)
        yield [psutil.Process(worker.process.pid) for worker in started]
    finally:
        for command in [*started, scheduler]:
            command.process.kill()
            command.finish()


def fit_here(name: str = "mcmc", verify: int = VERIFY, say: Callable[[str], None] = lambda _: None) -> None:
    """Fit an input in the working directory on the cluster of s.json.

    Args:
        name: of the input, without its suffix.
        verify: one in how many evaluations is compared with ESPEI's own.
        say: prints a line.
    """
    opening = Opening(Path(f"{name}.yaml"), Path(f"{name}.run"))
    with opened(opening, lambda: None, say) as (problem, directory):
        scheduler, walltime = Path("s.json"), Walltime(None)
        GraphFit(problem, directory, scheduler, Stopper(), walltime, verify, lambda _: None, say).run()
