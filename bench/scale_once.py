"""Workers that sleep, ours and stock: python scale_once.py DIRECTORY WORKERS SPREAD SECONDS WHOSE.

Prints one line of JSON. How many iterations are run is chosen so that ours takes
about so many seconds; with 0 seconds, only stock's first iteration. With the times of the
prepared likelihood, only ours.
"""

import contextlib
import itertools
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import distributed
import emcee
import numpy as np
from espei.utils import ImmediateClient

from cluster import CONFIG, Cluster, running
from espei_hpc.cluster import dask_settings
from espei_hpc.fit.connecting import CONNECTIONS
from espei_hpc.fit.cutting import Cutter
from espei_hpc.fit.engine import Engine
from espei_hpc.sampler import Graph, State
from espei_hpc.workers.pool import Pool
from sleeping import CONTEXT_BYTES, STOCK, FloatArray, Sleeper, log_probability, packed, predict, recorded

SEED = 1
FEWEST_ITERATIONS = 4
STOCK_ITERATIONS = 2


class Watched(Cutter):
    """The engine's cutter, with what it learns and decides kept."""

    def __init__(self, units: tuple[int, ...], walkers: int) -> None:
        super().__init__(units, walkers)
        self.evaluations: list[float] = []
        self.cuts: list[int] = []

    def learn(self, seconds: Any) -> None:
        """Keep the time of an evaluation."""
        self.evaluations.append(sum(seconds.values()))
        super().learn(seconds)

    def pieces(self, workers: int) -> tuple[tuple[int, ...], ...]:
        """Keep into how many pieces an evaluation was cut."""
        pieces = super().pieces(workers)
        self.cuts.append(len(pieces))
        return pieces


def start() -> FloatArray:
    """Return the starting walkers, shape (walkers, symbols)."""
    shape = (recorded().walkers, recorded().symbols)
    return np.random.RandomState(SEED).normal(size=shape)


def ours(cluster: Cluster, workers: int, spread: float, iterations: int, whose: str) -> dict[str, Any]:
    """Run the engine; its start and its end are counted, as one iteration more."""
    positions = start()
    random: Any = np.random.RandomState(SEED).get_state(legacy=True)
    state = State(0, positions, None, np.zeros(len(positions), np.int64), random)
    with (
        distributed.Client(
            scheduler_file=str(cluster.scheduler_file),
            set_as_default=False,
            direct_to_workers=True,
            connection_limit=CONNECTIONS,
        ) as client,
        Pool(client, Sleeper, packed(spread, whose)) as pool,
    ):
        description = pool.start(lambda: None)
        while pool.workers < workers:
            pool.wait(0.1)
        cutter = Watched(tuple(range(len(description.units))), len(positions))
        graph = Graph(state, iterations)

        before, scheduler, there = _cpu(), *cluster.cpu_seconds()
        begin = time.monotonic()
        with contextlib.closing(cutter):
            Engine(graph, pool, description, cutter).run(lambda block: None, lambda: True)
        seconds = time.monotonic() - begin
        scheduler_after, there_after = cluster.cpu_seconds()
        used = [_cpu() - before, scheduler_after - scheduler, there_after - there]
        return {
            **_result(seconds, cutter.evaluations, iterations + 1, workers),
            "pieces": cutter.cuts[-1],
            "cuts": _runs(cutter.cuts),
            "calls": sum(cutter.cuts),
            "cpu_seconds": [round(value, 3) for value in used],
            "notes": list(pool.notes),
        }


def stock(cluster: Cluster, workers: int, spread: float, iterations: int) -> dict[str, Any]:
    """Run emcee on ESPEI's ImmediateClient, from known log-probabilities.

    At first its calls run on the three workers that happen to hold the context. Only
    when Dask has seen more than two tasks for each worker does it use the others, so
    that is done before, with tasks that take no time.
    """
    with ImmediateClient(scheduler_file=str(cluster.scheduler_file)) as client:
        sampler, calls = _observed(client, spread)
        positions = start()
        known = np.array([log_probability(position) for position in positions])
        # Tasks with equal arguments would be one task.
        sampler.pool.map(sampler.lnprobfn, [np.zeros(length) for length in range(1, 2 * workers + 2)])
        calls.clear()
        for _ in sampler.sample(positions, known, iterations=iterations):
            pass
    points = [point for call in calls for point in call.points]
    evaluations = [float(recorded().seconds(point, spread).sum()) for point in points]
    return _result(calls[-1].end - calls[0].begin, evaluations, iterations, workers)


def stock_from_the_start(cluster: Cluster, workers: int, spread: float) -> dict[str, Any]:
    """Run the first iteration of emcee on ESPEI's ImmediateClient as ESPEI does."""
    with ImmediateClient(scheduler_file=str(cluster.scheduler_file)) as client:
        sampler, calls = _observed(client, spread)
        for _ in sampler.sample(start(), iterations=1):
            pass
    return {"calls": [round(call.end - call.begin, 3) for call in calls]}


class _Call(NamedTuple):
    begin: float
    end: float
    points: list[FloatArray]


def _observed(client: Any, spread: float) -> tuple[Any, list[_Call]]:
    """Return ESPEI's sampler, and its client's calls from now on."""
    calls: list[_Call] = []
    unobserved = client.map

    def observed(function: Any, points: Any) -> Any:
        points = [np.asarray(point) for point in points]
        begin = time.monotonic()
        result = unobserved(function, points)
        calls.append(_Call(begin, time.monotonic(), points))
        return result

    client.map = observed
    # By the names that ESPEI's context has, of about its size.
    context = {"symbols_to_fit": spread, "residual_objs": bytes(CONTEXT_BYTES), "prior_rvs": None}
    sampler = emcee.EnsembleSampler(*start().shape, predict, kwargs=context, pool=client)
    sampler.random_state = np.random.RandomState(SEED).get_state(legacy=True)
    return sampler, calls


def _result(seconds: float, evaluations: list[float], counted: float, workers: int) -> dict[str, Any]:
    """Return how near to the limit it was: all workers evaluating all the time."""
    return {
        "iterations": counted,
        "seconds": round(seconds, 3),
        "seconds_per_iteration": round(seconds / counted, 4),
        "evaluation": round(float(np.mean(evaluations)), 4),
        "spread": round(float(np.std(evaluations) / np.mean(evaluations)), 4),
        "of_limit": round(sum(evaluations) / workers / seconds, 4),
    }


def _runs(cuts: list[int]) -> list[tuple[int, int]]:
    """Return the numbers of pieces one after the other, each with for how many evaluations."""
    return [(cut, len(list(run))) for cut, run in itertools.groupby(cuts)]


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(directory: Path, workers: int, spread: float, seconds: float, whose: str) -> None:
    """Run and print what came out."""
    whole = recorded(whose)
    iterations = max(FEWEST_ITERATIONS, round(seconds * workers / (whole.walkers * whole.evaluation)))
    with running(directory, workers, sleepers=True) as cluster:
        dask_settings.use_only(directory / CONFIG)
        told: dict[str, Any] = {"workers": workers, "spread": spread}
        if seconds:
            told["ours"] = ours(cluster, workers, spread, iterations, whose)
            if whose == STOCK:
                told["stock"] = stock(cluster, workers, spread, STOCK_ITERATIONS)
        else:
            told["stock_from_the_start"] = stock_from_the_start(cluster, workers, spread)
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
