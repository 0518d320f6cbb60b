"""Time limits and retry limits of the pool."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Time limits, in seconds, and retry limits.

    Attributes:
        making: until a first worker has its evaluator.
        workers: without any worker, or without the scheduler.
        refusal: without the scheduler, if its host refuses connections.
        answer: without any result, in addition to the bound of the longest job.
        poll: between two queries of the list of workers.
        deaths: number of lost workers after which a job is given up, and number of
            losses after which a worker is excluded.
        pause: before a job that lost two workers goes to a third one; if the whole
            cluster is dying, that becomes apparent in this time.
    """

    making: float = 300.0
    workers: float = 60.0
    refusal: float = 3.0
    answer: float = 600.0
    poll: float = 2.0
    deaths: int = 3
    pause: float = 5.0
