"""The results of jobs."""

from dataclasses import dataclass
from typing import Any

from espei_hpc.workers.dispatch import Job


@dataclass(frozen=True)
class Done:
    """A finished job.

    Attributes:
        job: the job.
        value: the value returned by the evaluator.
        seconds: wall time on the worker, s.
        worker: address of the worker.
        began: when it began there, s since 1970 by the worker's clock.
    """

    job: Job
    value: Any
    seconds: float
    worker: str
    began: float


@dataclass(frozen=True)
class Failed:
    """A failed job; its parameters are in ``job.arguments``.

    Attributes:
        job: the job.
        cause: one line: memory, dead workers, or an exception.
        error: type and message of the exception; empty if the workers died.
        traceback: the worker's traceback; empty if the workers died.
        worker: address of the (last) worker.
        host: host of that worker.
    """

    job: Job
    cause: str
    error: str
    traceback: str
    worker: str
    host: str
