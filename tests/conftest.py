"""Fixtures for tests that run real fits."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml

from support import BIN, EXAMPLE, STOCK, Commands, wait_until


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    """Start commands in a directory of the test's own; afterwards nothing of them lives."""
    started = Commands(tmp_path)
    yield started
    try:
        # Python's own helper processes notice a moment later that their parent has ended.
        wait_until(lambda: not started.left(), "the end of all processes", seconds=10)
    except AssertionError:
        left = started.left()
        started.end_all()
        pytest.fail(f"still alive after the test: {left}")


@pytest.fixture
def small_fit(tmp_path: Path) -> Path:
    """A fit of the example's enthalpies alone, 30 iterations: seconds, and real."""
    return write_fit(tmp_path, iterations=30)


@pytest.fixture
def endless_fit(tmp_path: Path) -> Path:
    """The same with more iterations than any test waits for."""
    return write_fit(tmp_path, iterations=20_000)


@dataclass(frozen=True)
class Chain:
    """The arrays that a fit writes."""

    trace: np.ndarray
    lnprob: np.ndarray

    @classmethod
    def load(cls, directory: Path) -> "Chain":
        """Read a fit's output."""
        return cls(np.load(directory / "trace.npy"), np.load(directory / "lnprob.npy"))

    def begins_like(self, other: "Chain") -> bool:
        """Whether the iterations done so far are, bit for bit, those of another chain."""
        done = min(int(np.any(self.trace != 0, axis=(0, 2)).sum()), other.trace.shape[1])
        return (
            done > 0
            and np.array_equal(self.trace[:, :done], other.trace[:, :done])
            and np.array_equal(self.lnprob[:, :done], other.lnprob[:, :done])
        )

    def equals(self, other: "Chain") -> bool:
        """Whether two chains are equal bit for bit."""
        return np.array_equal(self.trace, other.trace) and np.array_equal(self.lnprob, other.lnprob)


@pytest.fixture(scope="session")
def stock_chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """The chain of the small fit as stock ESPEI computes it, alone on one core."""
    directory = tmp_path_factory.mktemp("stock")
    path = write_fit(directory, iterations=30)
    run_stock(directory, path)
    return Chain.load(directory)


def run_stock(directory: Path, path: Path) -> None:
    """Run stock ESPEI in series, with the hash seed that every process of ours has."""
    settings = yaml.safe_load(path.read_text())
    settings["mcmc"]["scheduler"] = None
    serial = directory / "serial.yaml"
    serial.write_text(yaml.safe_dump(settings))
    result = Commands(directory).run(BIN / "espei", "--in", serial, env=STOCK)
    assert result.code == 0, result.output


def write_fit(directory: Path, iterations: int) -> Path:
    """Write the small fit into a directory and return its input file."""
    for name in ("phase_models.json", "cu-mg_start.tdb"):
        shutil.copy(EXAMPLE / name, directory)
    datasets = directory / "datasets"
    datasets.mkdir()
    for path in (EXAMPLE / "datasets").glob("*HM*.json"):
        shutil.copy(path, datasets)
    settings = {
        "system": {"phase_models": "phase_models.json", "datasets": "datasets"},
        "mcmc": {
            "input_db": "cu-mg_start.tdb",
            "iterations": iterations,
            "chains_per_parameter": 2,
            "chain_std_deviation": 0.05,
            "save_interval": max(1, iterations // 100),
        },
        "output": {"output_db": "fitted.tdb", "tracefile": "trace.npy", "probfile": "lnprob.npy"},
    }
    path = directory / "x.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path
