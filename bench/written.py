"""Part c: bytes that are written over a chain of 1,000 iterations, ours and stock."""

import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

from espei_hpc.fit import chain as fit_chain
from espei_hpc.fit.chain import Chain
from espei_hpc.fit.sample_files import SampleFiles
from espei_hpc.likelihood.upstream import espei as upstream
from espei_hpc.rundir.run_directory import held
from espei_hpc.sampler import Graph, State

WALKERS, PARAMETERS, ITERATIONS = 30, 15, 1000
SECONDS_PER_ITERATION = (0.6, 6.0, 36.0)
"""Of Cu-Mg with some 100, 12 and 2 workers: how many iterations go into one checkpoint depends on it."""


def measure() -> dict[str, Any]:
    """Write both chains and count the bytes passed to the kernel."""
    return {
        "walkers": WALKERS,
        "parameters": PARAMETERS,
        "iterations": ITERATIONS,
        "final_trace": WALKERS * PARAMETERS * ITERATIONS * 8,
        "ours": {str(seconds): _ours(seconds) for seconds in SECONDS_PER_ITERATION},
        "stock": _stock(),
    }


def _ours(seconds: float) -> int:
    """Sample with no likelihood to speak of, and save by a clock on which iterations take so long."""
    random: Any = np.random.RandomState(0).get_state(legacy=True)
    positions = np.random.RandomState(1).normal(size=(WALKERS, PARAMETERS))
    start = State(0, positions, None, np.zeros(WALKERS, np.int64), random)
    clock = SimpleNamespace(now=0.0)
    with (
        tempfile.TemporaryDirectory() as place,
        held(Path(place) / "fit.run") as directory,
        mock.patch.object(fit_chain, "time", mock.Mock(wraps=time, monotonic=lambda: clock.now)),
    ):
        before = _written()
        files = SampleFiles(Path(place) / "trace.npy", Path(place) / "lnprob.npy", ITERATIONS)
        chain = Chain(directory, files, start, ITERATIONS, None)
        graph = Graph(start, ITERATIONS)
        while not graph.finished:
            while task := graph.pop():
                graph.put(task, float(-0.5 * np.sum(graph.parameters(task) ** 2)))
                if block := graph.take():
                    chain.add(block)
                    clock.now += seconds * block.positions.shape[1]
                    chain.save_if_due()
        chain.save()
        chain.write_arrays()
        return _written() - before


def _stock() -> int:
    """Save as ESPEI does after each iteration (its default) and at the end."""
    optimizer = upstream.EmceeOptimizer(None)
    optimizer.sampler = SimpleNamespace(
        chain=np.zeros((WALKERS, ITERATIONS, PARAMETERS)), lnprobability=np.zeros((WALKERS, ITERATIONS))
    )
    with tempfile.TemporaryDirectory() as place:
        optimizer.tracefile, optimizer.probfile = f"{place}/trace.npy", f"{place}/lnprob.npy"
        before = _written()
        for _ in range(ITERATIONS + 1):
            optimizer.save_sampler_state()
        return _written() - before


def _written() -> int:
    """Return the bytes that this process has passed to the kernel for writing."""
    with Path("/proc/self/io").open() as file:
        told = dict(line.split(": ") for line in file)
    return int(told["wchar"])
