"""What a run directory holds of a fit that is followed."""

import json
import time
from pathlib import Path

import numpy as np

from espei_hpc.fit.chain import Chain
from espei_hpc.fit.observer import Observer
from espei_hpc.fit.sample_files import SampleFiles
from espei_hpc.likelihood import Evaluated
from espei_hpc.rundir.run_directory import held
from espei_hpc.sampler import Graph, State
from espei_hpc.sampler.sampling import Sampling
from espei_hpc.workers.dispatch import Job
from espei_hpc.workers.results import Done


def test_sampling_and_files_tell_how_far_it_is_and_who_worked(tmp_path: Path) -> None:
    random = np.random.RandomState(3)
    generator = random.get_state(legacy=True)
    assert isinstance(generator, tuple)
    start = State(0, random.normal(size=(4, 2)), None, np.zeros(4, dtype=np.int64), generator)
    sampling, told = Sampling(iterations=20), list[int]()
    with held(tmp_path) as directory:
        chain = Chain(directory, SampleFiles(None, None, 20), start, 20, None)
        observer = Observer(sampling, tmp_path, lambda sampling: told.append(sampling.done))
        observer.begins(chain)
        graph = Graph(chain.state, 20)
        while task := graph.pop():
            observer.evaluated(Done(Job(task, 0, ()), Evaluated(0.0), 1e-9, "tls://a:1", time.time()))
            graph.put(task, -0.5 * float(np.sum(graph.parameters(task) ** 2)))
            if block := graph.take():
                chain.add(block)
                observer.iterated(chain, 2)
            observer.turned(chain, 2)
        chain.save()
        observer.ends(chain)
    assert told[0] == 0
    assert told[-1] == 20
    assert sampling.best == np.max(chain.log_probabilities)
    assert sampling.workers == 2
    assert sampling.pace is not None
    assert sampling.busy is not None
    assert sampling.saved_at is not None
    kept = json.loads((tmp_path / "progress.json").read_text())
    assert (kept["iteration"], kept["iterations"], kept["workers"]) == (20, 20, 2)
    assert kept["best"] == sampling.best
    with np.load(tmp_path / "timeline.npz") as timeline:
        assert len(timeline["begin"]) == 4 * 21
        assert timeline["workers"].tolist() == ["tls://a:1"]
