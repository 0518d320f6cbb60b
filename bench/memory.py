"""Part e: memory of a worker over 200 evaluations of the example, ours and stock."""

import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil

import fit_commands
from case import example
from cluster import Cluster, running

ITERATIONS = 16
EVALUATIONS = 12 * (ITERATIONS + 1)
EVERY = 0.1
"""Seconds between two samples."""


def measure() -> dict[str, Any]:
    """Fit with both at the same time, each with its own worker, and sample the worker's memory."""

    def ours(directory: Path, cluster: Cluster) -> fit_commands.Fit:
        return fit_commands.ours(directory, cluster.scheduler_file, 1)

    def stock(directory: Path, _: Cluster) -> fit_commands.Fit:
        return fit_commands.stock(directory)

    with ThreadPoolExecutor(2) as threads:
        both = {"ours": threads.submit(_watched, ours), "stock": threads.submit(_watched, stock)}
        return {"evaluations": EVALUATIONS, **{name: one.result() for name, one in both.items()}}


def _watched(fit: Callable[[Path, Cluster], fit_commands.Fit]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "cluster").mkdir()
        with running(Path(place) / "cluster", 1) as cluster:
            example(Path(place) / "fit", ITERATIONS, scheduler=str(cluster.scheduler_file))
            looks: list[tuple[float, int]] = []
            over = threading.Event()
            watcher = threading.Thread(target=_watch, args=[cluster.workers[0], looks, over])
            watcher.start()
            try:
                done = fit(Path(place) / "fit", cluster)
            finally:
                over.set()
                watcher.join()
    return _course(done, looks)


def _watch(worker: psutil.Process, looks: list[tuple[float, int]], over: threading.Event) -> None:
    while not over.wait(EVERY):
        looks.append((time.monotonic(), worker.memory_info().rss))


def _course(fit: fit_commands.Fit, looks: list[tuple[float, int]]) -> dict[str, float]:
    """Return MB at the first and the last evaluation, and MB per evaluation in the second half."""
    end = fit.began + fit.sampling
    seen = np.array([(when, size / 1e6) for when, size in looks if fit.began < when < end])
    done = (seen[:, 0] - fit.began) / fit.sampling * EVALUATIONS
    late = done > EVALUATIONS / 2
    slope = np.polyfit(done[late], seen[late, 1], 1)[0]
    first, last = np.interp([1, EVALUATIONS], done, seen[:, 1])
    return {
        "first": round(float(first), 1),
        "last": round(float(last), 1),
        "most": round(float(seen[:, 1].max()), 1),
        "slope": round(float(slope), 4),
    }
