"""A chain to keep: numbers that depend on all before them, as a sampler's do, so that any slip shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from espei_hpc.rundir.checkpoint.store import Saved, Store
from espei_hpc.sampler import FloatArray, State

WALKERS, PARAMETERS = 4, 3


@dataclass(frozen=True)
class Block:
    positions: FloatArray
    log_probabilities: FloatArray
    state: State

    def append_to(self, store: Store) -> None:
        store.append(self.positions, self.log_probabilities, self.state)


def start(seed: int = 0, walkers: int = WALKERS, parameters: int = PARAMETERS) -> State:
    random = np.random.RandomState(seed)
    positions = random.standard_normal((walkers, parameters))
    return _state(0, positions, None, np.zeros(walkers, dtype=np.int64), random)


def block(state: State, iterations: int = 1) -> Block:
    """Go on from a state, by its random numbers alone."""
    random = np.random.RandomState()
    random.set_state(state.random)
    positions, accepted = state.positions, state.accepted
    moved = []
    for _ in range(iterations):
        # An odd number of normal numbers leaves half of a pair in the state, which must be kept as well.
        moves = random.standard_normal(positions.size + 1)[1:]
        positions = positions + moves.reshape(positions.shape)
        accepted = accepted + random.randint(0, 2, len(accepted))
        moved.append(positions)
    chain = np.stack(moved, axis=1)
    log_probabilities = -np.sum(chain**2, axis=2)
    end = _state(state.iteration + iterations, positions, log_probabilities[:, -1], accepted, random)
    return Block(chain, log_probabilities, end)


def blocks(state: State, *lengths: int) -> Iterator[Block]:
    """Consecutive blocks."""
    for length in lengths:
        made = block(state, length)
        yield made
        state = made.state


def filled(directory: Path, *lengths: int, seed: int = 0) -> Store:
    """A store with blocks of these lengths."""
    store = Store(directory)
    store.begin(start(seed))
    for made in blocks(start(seed), *lengths):
        made.append_to(store)
    return store


def expected(iterations: int, seed: int = 0) -> Saved:
    """What must be loaded."""
    state = start(seed)
    if iterations == 0:
        return Saved(np.empty((WALKERS, 0, PARAMETERS)), np.empty((WALKERS, 0)), state)
    made = block(state, iterations)
    return Saved(made.positions, made.log_probabilities, made.state)


def same_state(one: State, other: State) -> bool:
    """Whether two states are equal bit for bit."""
    known = (one.log_probabilities is None) == (other.log_probabilities is None)
    return (
        known
        and one.iteration == other.iteration
        and one.positions.tobytes() == other.positions.tobytes()
        and (
            one.log_probabilities is None
            or other.log_probabilities is None
            or one.log_probabilities.tobytes() == other.log_probabilities.tobytes()
        )
        and one.accepted.tolist() == other.accepted.tolist()
        and one.random[1].tobytes() == other.random[1].tobytes()
        and (one.random[0], *one.random[2:]) == (other.random[0], *other.random[2:])
    )


def same(one: Saved, other: Saved) -> bool:
    """Whether two chains are equal bit for bit."""
    return (
        one.positions.shape == other.positions.shape
        and one.positions.tobytes() == other.positions.tobytes()
        and one.log_probabilities.tobytes() == other.log_probabilities.tobytes()
        and same_state(one.state, other.state)
    )


def _state(
    iteration: int,
    positions: FloatArray,
    log_probabilities: FloatArray | None,
    accepted: np.ndarray,
    random: np.random.RandomState,
) -> State:
    name, key, place, has_gauss, gauss = random.get_state(legacy=True)
    kept = (name, np.asarray(key, dtype=np.uint32), int(place), int(has_gauss), float(gauss))
    return State(iteration, positions, log_probabilities, accepted, kept)
