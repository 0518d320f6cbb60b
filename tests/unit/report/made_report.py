"""A run directory with a chain of chosen samples, as a fit leaves it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from espei_hpc.rundir.checkpoint import Store
from espei_hpc.rundir.record import SAMPLER, Record
from espei_hpc.sampler import FloatArray, State
from espei_hpc.sampler.moves import STRETCH

INPUT = "mcmc: {iterations: 100, input_db: start.tdb}\nsystem: {phase_models: models.json, datasets: data}\n"


@dataclass(frozen=True)
class Made:
    input_file: Path
    directory: Path
    positions: FloatArray
    log_probabilities: FloatArray


def made_run(
    place: Path,
    positions: FloatArray | None = None,
    symbols: Sequence[str] = ("VV0000", "VV0001"),
    floor: float = -np.inf,
    sampler: str = STRETCH,
    start: FloatArray | None = None,
) -> Made:
    """Write a run: these positions (walkers, iterations, symbols), or some normal ones.

    Below the floor the log-probability is minus infinity. The walkers start at ``start``, else where they are
    after the first iteration, with the random numbers of the seed 0.
    """
    if positions is None:
        positions = np.random.default_rng(0).normal(size=(4, 40, len(symbols)))
    log_probabilities = -0.5 * np.sum(positions**2, axis=2)
    log_probabilities[log_probabilities < floor] = -np.inf
    input_file, directory = place / "x.yaml", place / "x.run"
    input_file.write_text(INPUT)
    directory.mkdir()
    fingerprint = {"symbols": " ".join(symbols), "version of espei": "0.9.1", SAMPLER: sampler}
    Record(fingerprint, ("espei-mpi", "--in", "x.yaml"), "0.1.0").write(directory)
    start = positions[:, 0] if start is None else start
    _save(directory / "checkpoint", positions, log_probabilities, start)
    return Made(input_file, directory, positions, log_probabilities)


def _save(directory: Path, positions: FloatArray, log_probabilities: FloatArray, start: FloatArray) -> None:
    """Save all in one segment but for the last iteration, which has its own."""
    store, iterations = Store(directory), positions.shape[1]
    moved = np.cumsum(np.any(np.diff(positions, axis=1, prepend=positions[:, :1] - 1) != 0, axis=2), axis=1)
    store.begin(_state(0, start, None, np.zeros(len(positions), dtype=np.int64)))
    for part in filter(len, np.split(np.arange(iterations), [iterations - 1])):
        end = part[-1]
        state = _state(int(end) + 1, positions[:, end], log_probabilities[:, end], moved[:, end])
        store.append(positions[:, part], log_probabilities[:, part], state)


def _state(
    iteration: int, positions: FloatArray, log_probabilities: FloatArray | None, accepted: np.ndarray
) -> State:
    name, key, place, has_gauss, gauss = np.random.RandomState(iteration).get_state(legacy=True)
    random = (name, np.asarray(key, dtype=np.uint32), int(place), int(has_gauss), float(gauss))
    return State(iteration, positions, log_probabilities, accepted, random)
