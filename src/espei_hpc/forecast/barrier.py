"""Time of a chain with emcee's own scheduling on Dask: half of the walkers, wait, the other half."""

import heapq

from espei_hpc.forecast.costs import Costs

PER_TASK = 2.3e-3
"""Seconds of client and scheduler to submit, run and gather one task."""

ANSWER = 10e-3
"""Seconds from the last result of a half until the client has all results."""


def barrier(
    walkers: int,
    workers: int,
    iterations: int,
    costs: Costs,
    seed: int = 0,
    per_task: float = PER_TASK,
    answer: float = ANSWER,
) -> float:
    """Return the seconds per iteration of stock ESPEI, with uncut evaluations and no other overhead.

    Args:
        walkers: number of walkers.
        workers: number of workers.
        iterations: number of iterations to average over.
        costs: only the evaluation and its spread are used.
        seed: seed of the evaluation times.
        per_task: seconds of client and scheduler for each task, one after the other.
        answer: seconds from the last result of a half to the first task of the next.
    """
    seconds = 0.0
    for times in costs.evaluations(walkers, iterations, seed).tolist():
        free = [0.0] * workers
        for number, time in enumerate(times, start=1):
            heapq.heapreplace(free, max(free[0], number * per_task) + time)
        seconds += max(free) + answer
    return seconds / iterations
