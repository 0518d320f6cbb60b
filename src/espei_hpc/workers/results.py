"""What becomes of a job, as the pool hands it back."""

from dataclasses import dataclass
from typing import Any

from espei_hpc.workers.dispatch import Job


@dataclass(frozen=True)
class Done:
    """A job with its answer.

    Attributes:
        job: as it was given.
        value: what the evaluator returned.
        seconds: wall clock time on the worker.
        worker: its address.
        began: when it began there, s since 1970 by the worker's clock.
    """

    job: Job
    value: Any
    seconds: float
    worker: str
    began: float


@dataclass(frozen=True)
class Failed:
    """A job that has no answer, and why; its parameters are among ``job.arguments``.

    Attributes:
        job: as it was given.
        cause: one line: memory, the death of its workers, or an exception.
        error: type and text of the exception; empty where the workers died.
        traceback: the worker's; empty where the workers died.
        worker: address of the (last) worker.
        host: where that is.
    """

    job: Job
    cause: str
    error: str
    traceback: str
    worker: str
    host: str
