"""Small real fits for tests: writing them, running them with stock ESPEI, comparing their chains."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml

from made_once import made_once
from support import BIN, EXAMPLE, STOCK, Commands

KEPT = {"run.json", "checkpoint", "progress.json", "timeline.npz"}
"""What a finished fit leaves in its run directory."""


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


def in_series(path: Path) -> Path:
    """Write, beside an input, the same for a fit in one process; return its path."""
    settings = yaml.safe_load(path.read_text())
    settings["mcmc"]["scheduler"] = None
    serial = path.with_name("serial.yaml")
    serial.write_text(yaml.safe_dump(settings))
    return serial


def run_stock(directory: Path, path: Path, **variables: str) -> None:
    """Run stock ESPEI in series, with the hash seed that every process of ours has."""
    result = Commands(directory).run(BIN / "espei", "--in", in_series(path), env=STOCK | variables)
    assert result.code == 0, result.output


def stock_fit(factory: pytest.TempPathFactory, iterations: int) -> Path:
    """Return the directory of the small fit as stock ESPEI computes it, alone on one core."""
    return made_once(
        factory,
        f"stock-{iterations}",
        lambda directory: run_stock(directory, write_fit(directory, iterations)),
    )


def save_often(path: Path) -> None:
    """Have a fit save after each iteration."""
    content = yaml.safe_load(path.read_text())
    content["mcmc"]["save_interval"] = 1
    path.write_text(yaml.safe_dump(content))


def stock_example(factory: pytest.TempPathFactory) -> Path:
    """Return the directory of the whole example as stock ESPEI computes it, alone on one core."""

    def fit(directory: Path) -> None:
        copy_example(directory)
        run_stock(directory, directory / "mcmc.yaml")

    return made_once(factory, "stock-example", fit)


def copy_example(directory: Path) -> None:
    """Copy the example, without what a fit in it has left."""
    written = shutil.ignore_patterns("*.npy", "*.run", "cu-mg_fitted.tdb")
    shutil.copytree(EXAMPLE, directory, ignore=written, dirs_exist_ok=True)


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
