"""What the same chain takes where emcee runs it on Dask itself: half of the walkers, wait, the other half."""

import heapq

from espei_hpc.forecast.costs import Costs

PER_TASK = 2.3e-3
"""Seconds of client and scheduler for one task submitted, run and gathered."""

ANSWER = 10e-3
"""Seconds after the last result of a half until the client has all of them."""


def barrier(
    walkers: int,
    workers: int,
    iterations: int,
    costs: Costs,
    seed: int = 0,
    per_task: float = PER_TASK,
    answer: float = ANSWER,
) -> float:
    """Return the seconds per iteration of the stock flow, whole evaluations and nothing else in its way.

    Args:
        walkers: of the ensemble.
        workers: that evaluate.
        iterations: to average over.
        costs: of which only the evaluation and its spread count.
        seed: of the evaluations' times.
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
