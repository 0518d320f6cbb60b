"""Part a: real fits on 1 and 2 workers, ours and stock on the same cluster, alternating."""

import statistics
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, chdir
from pathlib import Path
from typing import Any

import numpy as np

import fit_commands
from case import CU_MG, cu_mg, example
from cluster import Cluster, running
from espei_hpc.fit.starting import starting
from espei_hpc.forecast.measure import measure as measure_evaluation
from espei_hpc.inputs import check

WORKERS = (1, 2)
REPEATS = 5
EXAMPLE_ITERATIONS = 5
CU_MG_ITERATIONS = 2
"""The fewest that make a fit."""

Make = Callable[..., Path]
Row = dict[str, Any]


def measure() -> Row:
    """Measure the example several times, and Cu-Mg once if available."""
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        clusters = {}
        for number in WORKERS:
            (Path(place) / f"cluster-{number}").mkdir()
            clusters[number] = stack.enter_context(running(Path(place) / f"cluster-{number}", number))
        told = {"example": _case(Path(place) / "example", example, EXAMPLE_ITERATIONS, clusters, REPEATS)}
        if CU_MG.is_dir():
            told["cu-mg"] = _case(Path(place) / "cu-mg", cu_mg, CU_MG_ITERATIONS, clusters, 1)
    return told


def _case(place: Path, make: Make, iterations: int, clusters: dict[int, Cluster], repeats: int) -> Row:
    place.mkdir()
    path = make(place / "evaluation", iterations)
    # File names in an input are relative to the directory in which ESPEI runs.
    with chdir(path.parent):
        start = starting(check(path))
    walkers, symbols = start.walkers.shape
    evaluation = measure_evaluation(start.evaluator, start.initial, start.walkers).evaluation
    rows = []
    for number, cluster in clusters.items():
        fits: dict[str, list[fit_commands.Fit]] = {"ours": [], "stock": []}
        equal = []
        for repeat in range(repeats):
            here = place / f"{number}-{repeat}"
            pair = _pair(here, make, iterations, cluster, number, together=number == 1 and repeats == 1)
            for name, fit in pair.items():
                fits[name].append(fit)
            equal.append(_same_chain(here / "ours", here / "stock"))
        limit = walkers * evaluation / number
        sides = {name: _side(some, limit) for name, some in fits.items()}
        rows.append({"workers": number, "limit": round(limit, 4), **sides, "same_chain": all(equal)})
    return {
        "symbols": symbols,
        "walkers": walkers,
        "iterations": iterations,
        "repeats": repeats,
        "evaluation": round(evaluation, 4),
        "rows": rows,
    }


def _pair(
    here: Path, make: Make, iterations: int, cluster: Cluster, workers: int, *, together: bool
) -> dict[str, fit_commands.Fit]:
    """Run stock's fit and ours, one after the other or, to save time, each on a core of its own."""
    here.mkdir()
    for name in ("stock", "ours"):
        make(here / name, iterations, scheduler=str(cluster.scheduler_file))

    def ours(file: Path) -> fit_commands.Fit:
        return fit_commands.ours(here / "ours", file, workers)

    if not together:
        return {"stock": fit_commands.stock(here / "stock"), "ours": ours(cluster.scheduler_file)}
    (here / "cluster").mkdir()
    with running(here / "cluster", workers) as other, ThreadPoolExecutor(1) as thread:
        stock = thread.submit(fit_commands.stock, here / "stock")
        return {"ours": ours(other.scheduler_file), "stock": stock.result()}


def _side(fits: list[fit_commands.Fit], limit: float) -> Row:
    seconds = statistics.median(fit.seconds_per_iteration for fit in fits)
    return {
        "seconds_per_iteration": round(seconds, 4),
        "of_limit": round(limit / seconds, 4),
        "whole_command": round(statistics.median(fit.whole for fit in fits), 2),
        "all": [round(fit.seconds_per_iteration, 4) for fit in fits],
    }


def _same_chain(ours: Path, stock: Path) -> bool:
    return all(
        np.array_equal(np.load(ours / name), np.load(stock / name)) for name in ("trace.npy", "lnprob.npy")
    )
