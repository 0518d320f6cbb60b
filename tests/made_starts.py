"""What starts of a fit leave in a run directory, without ESPEI: the samples are of a small likelihood."""

from pathlib import Path

import numpy as np

from espei_hpc.fit.chain import Chain
from espei_hpc.fit.sample_files import SampleFiles
from espei_hpc.rundir.record import Record
from espei_hpc.rundir.run_directory import held
from espei_hpc.sampler import Graph, State

RECORD = Record({}, ("espei-mpi",), "0")


def run(path: Path, iterations: int, code: int | None) -> None:
    """Do what a start of a fit leaves: so many iterations more; without a code it was killed."""
    with held(path) as directory:
        directory.load()
        if directory.record is None:
            directory.record = RECORD
            directory.record.write(directory.path)
        directory.started()
        random = np.random.RandomState(3)
        generator = random.get_state(legacy=True)
        assert isinstance(generator, tuple)
        start = State(0, random.normal(size=(4, 2)), None, np.zeros(4, dtype=np.int64), generator)
        chain = Chain(directory, SampleFiles(None, None, 100), start, 100, None)
        graph = Graph(chain.state, chain.done + iterations)
        while task := graph.pop():
            graph.put(task, -0.5 * float(np.sum(graph.parameters(task) ** 2)))
        if block := graph.take():
            chain.add(block)
        chain.save()
        if code is not None:
            directory.ended(code, 1.5, 3)
