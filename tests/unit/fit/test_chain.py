"""What a fit's chain writes, and when."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from espei_hpc.fit.chain import Chain
from espei_hpc.fit.sample_files import SampleFiles
from espei_hpc.rundir.checkpoint import CHECKPOINT_SECONDS
from espei_hpc.rundir.run_directory import held
from espei_hpc.sampler import Graph, State

WALKERS, PARAMETERS = 4, 2


def start() -> State:
    random = np.random.RandomState(3)
    positions = random.normal(size=(WALKERS, PARAMETERS))
    generator = random.get_state(legacy=True)
    assert isinstance(generator, tuple)
    return State(0, positions, None, np.zeros(WALKERS, dtype=np.int64), generator)


def go_on(chain: Chain, iterations: int) -> None:
    """Add iterations of a Gaussian's chain."""
    graph = Graph(chain.state, chain.done + iterations)
    while not graph.finished:
        task = graph.pop()
        assert task is not None
        graph.put(task, -0.5 * float(np.sum(graph.parameters(task) ** 2)))
    block = graph.take()
    assert block is not None
    chain.add(block)


class Clock:
    """The time that the chain sees."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


def segments(directory: Path) -> int:
    return len(list(directory.glob("x.run/checkpoint/*.npz")))


def test_checkpoint_is_written_by_time_and_not_by_iteration(tmp_path: Path, clock: Clock) -> None:
    with held(tmp_path / "x.run") as directory:
        chain = Chain(directory, SampleFiles(None, None, 100), start(), 100, None)
        for _ in range(20):
            go_on(chain, 1)
            chain.save_if_due()
        assert segments(tmp_path) == 1
        clock.now = CHECKPOINT_SECONDS
        chain.save_if_due()
        chain.save_if_due()
        assert segments(tmp_path) == 2


def test_save_interval_of_the_input_bounds_the_iterations_between_checkpoints(
    tmp_path: Path, clock: Clock
) -> None:
    with held(tmp_path / "x.run") as directory:
        chain = Chain(directory, SampleFiles(None, None, 100), start(), 100, 5)
        for _ in range(20):
            go_on(chain, 1)
            chain.save_if_due()
        assert segments(tmp_path) == 1 + 4


def test_chain_goes_on_from_its_checkpoint_as_if_it_had_not_ended(tmp_path: Path) -> None:
    with held(tmp_path / "whole.run") as directory:
        whole = Chain(directory, SampleFiles(None, None, 30), start(), 30, None)
        go_on(whole, 30)
    with held(tmp_path / "x.run") as directory:
        chain = Chain(directory, SampleFiles(None, None, 30), start(), 30, None)
        go_on(chain, 11)
        chain.save()
        go_on(chain, 7)  # lost
    with held(tmp_path / "x.run") as directory:
        directory.load()
        again = Chain(directory, SampleFiles(None, None, 30), start(), 30, None)
        assert again.done == 11
        go_on(again, 19)
        assert np.array_equal(again.positions, whole.positions)
        assert np.array_equal(again.log_probabilities, whole.log_probabilities)
        assert np.array_equal(again.state.accepted, whole.state.accepted)


def test_arrays_are_trimmed_meanwhile_and_numpys_own_in_the_end(tmp_path: Path, clock: Clock) -> None:
    trace, lnprob = tmp_path / "trace.npy", tmp_path / "lnprob.npy"
    with held(tmp_path / "x.run") as directory:
        chain = Chain(directory, SampleFiles(trace, lnprob, 20), start(), 20, 1)
        go_on(chain, 3)
        chain.save_if_due()
        assert np.load(trace).shape == (WALKERS, 3, PARAMETERS)
        assert np.load(lnprob).shape == (WALKERS, 3)
        go_on(chain, 17)
        chain.write_arrays()
        np.save(tmp_path / "as-numpy.npy", chain.positions)
        assert trace.read_bytes() == (tmp_path / "as-numpy.npy").read_bytes()


def test_all_that_is_written_is_at_most_three_times_the_final_arrays(tmp_path: Path) -> None:
    trace = tmp_path / "trace.npy"
    iterations, written = 300, 0
    with held(tmp_path / "x.run") as directory:
        files = SampleFiles(trace, None, iterations)
        chain = Chain(directory, files, start(), iterations, None)
        before = None
        for number in range(iterations):
            go_on(chain, 1)
            if number % 20 == 19:
                chain.save()
                files.write_if_due(chain.positions, chain.log_probabilities)
                if trace.exists() and trace.stat().st_ino != before:
                    before = trace.stat().st_ino
                    written += chain.positions.nbytes
        chain.write_arrays()
        # What the checkpoint holds besides the samples does not grow with them.
        assert written + 2 * chain.positions.nbytes <= 3 * chain.positions.nbytes
        assert written > 0


def test_longest_checkpoint_and_longest_writing_of_arrays_are_known(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter([3.0, 5.0, 2.0])

    class SlowFiles(SampleFiles):
        def write_if_due(self, *_: object) -> None:
            clock.now += 7

    with held(tmp_path / "x.run") as directory:
        append = directory.store.append

        def slow_append(*arguments: Any) -> None:
            clock.now += next(seconds)
            append(*arguments)

        monkeypatch.setattr(directory.store, "append", slow_append)
        chain = Chain(directory, SlowFiles(None, None, 100), start(), 100, 1)
        assert chain.saving == 0
        for _ in range(3):
            go_on(chain, 1)
            chain.save_if_due()
        assert chain.saving == 5 + 7
