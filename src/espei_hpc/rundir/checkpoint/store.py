"""The checkpoint of a run: segments of the chain in one directory, which are only ever added."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.checkpoint import recovery
from espei_hpc.rundir.checkpoint.segment import (
    Damaged,
    Link,
    Name,
    block_of,
    encode,
    link_of,
    state_of,
)
from espei_hpc.rundir.files import PRIVATE_DIRECTORY, reason, remove_leftovers, write_whole
from espei_hpc.sampler import FloatArray, State
from espei_hpc.text import counted

ASIDE = "aside"
"""Directory to which segments are moved that no longer belong to the chain."""


@dataclass(frozen=True)
class Saved:
    """A saved chain.

    Attributes:
        positions: (walkers, n, parameters), emcee's ``chain``.
        log_probabilities: (walkers, n), emcee's ``lnprobability``.
        state: the ensemble at its end.
    """

    positions: FloatArray
    log_probabilities: FloatArray
    state: State


class Store:
    """The segments of one run's chain.

    Only one process may use a directory at a time (see ``Lock``).

    Args:
        directory: their directory; created by ``begin``.

    Attributes:
        directory: the same.
        notes: problems found by the last ``load`` or ``recover``, one sentence each.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.notes: list[str] = []
        self._chain: list[Link] = []
        self._shape: tuple[int, ...] = ()

    def begin(self, state: State) -> None:
        """Write the start: positions and random numbers before the first evaluation.

        Raises:
            Refusal: (CANNOT_CREATE) if it cannot be written.
            ValueError: if there is a chain already, or the state is not an initial one.
        """
        if state.iteration != 0:
            raise ValueError(f"a chain begins at iteration 0, not {state.iteration}")
        with self._writing("the starting positions"):
            self.directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            if recovery.segments(self.directory):
                raise ValueError(f"{self.directory} already has a chain")
            self._write(encode(None, None, state))
        self._shape = state.positions.shape

    def append(self, positions: FloatArray, log_probabilities: FloatArray, state: State) -> None:
        """Add the iterations done since the last segment, atomically.

        After a failure the same iterations, or these and more, can be appended again.

        Args:
            positions: (walkers, n, parameters).
            log_probabilities: (walkers, n).
            state: the ensemble after the last of them.

        Raises:
            Refusal: (CANNOT_CREATE) if they cannot be written; all earlier ones are intact on disk.
            ValueError: if they do not continue the chain.
        """
        self._check(positions, log_probabilities, state)
        first = self._chain[-1].name.end
        with self._writing(f"iterations {first + 1} to {state.iteration}"):
            self._write(encode(self._chain[-1], (positions, log_probabilities), state))

    def recover(self) -> State | None:
        """Find the longest intact chain and return the ensemble at its end; None if there is no chain.

        Temporary files are removed. Damaged segments, and those after them, are moved to a
        separate directory and reported in ``notes``. Files with other names are ignored.

        Raises:
            Refusal: (BAD_INPUT) if there are samples, but the start is damaged, missing or of another
                run; (CANNOT_CREATE) if files cannot be read or moved.
        """
        self.notes, self._chain = [], []
        if not self.directory.exists():
            return None
        try:
            remove_leftovers(self.directory, lambda name: Name.parse(name) is not None)
            found = recovery.find(self.directory)
            self._set_aside(found)
            if not found.chain:
                return None
            state = state_of(recovery.read(self.directory, found.chain[-1].name)[1])
        except (OSError, Damaged) as error:
            raise self._unreadable(error) from error
        self._chain, self._shape = found.chain, state.positions.shape
        return state

    def go_back(self, iteration: int) -> None:
        """Shorten the chain to its last checkpoint with at most ``iteration`` iterations.

        Later segments are moved to a separate directory, the last one first, so that the rest is a
        valid chain even if this is interrupted. Load the chain again afterwards.

        Raises:
            Refusal: (CANNOT_CREATE) if files cannot be moved.
        """
        dropped = [link.name for link in self._chain if link.name.end > iteration]
        try:
            self._move_aside(dropped[::-1])
        except OSError as error:
            raise self._unreadable(error) from error
        self._chain = self._chain[: len(self._chain) - len(dropped)]

    def read(self, positions: FloatArray, log_probabilities: FloatArray) -> None:
        """Copy the chain to the beginning of arrays, without another copy in memory.

        Args:
            positions: (walkers, at least the iterations of the chain, parameters).
            log_probabilities: (walkers, at least the iterations of the chain).

        Raises:
            Refusal: (CANNOT_CREATE) if a file is not readable.
        """
        try:
            for link in self._chain[1:]:
                block = block_of(recovery.read(self.directory, link.name)[1])
                part = np.s_[:, link.name.first : link.name.end]
                positions[part], log_probabilities[part] = block
        except (OSError, Damaged) as error:
            raise self._unreadable(error) from error

    def load(self) -> Saved | None:
        """Return the longest intact chain, as ``recover`` finds it; None if there is no chain.

        Raises:
            Refusal: as ``recover``.
        """
        state = self.recover()
        return None if state is None else self._read_up_to(state)

    def look(self) -> Saved | None:
        """Return the longest intact chain as ``load`` does, but move nothing: the chain may be growing.

        Raises:
            Refusal: as ``recover``.
        """
        if not self.directory.exists():
            return None
        try:
            found = recovery.find(self.directory)
            if not found.chain:
                return None
            self._chain = found.chain
            state = state_of(recovery.read(self.directory, found.chain[-1].name)[1])
        except (OSError, Damaged) as error:
            raise self._unreadable(error) from error
        return self._read_up_to(state)

    def start(self) -> State:
        """Return the ensemble before the first evaluation, of a chain that was found.

        Raises:
            Refusal: (CANNOT_CREATE) if the file is not readable.
        """
        try:
            return state_of(recovery.read(self.directory, self._chain[0].name)[1])
        except (OSError, Damaged) as error:
            raise self._unreadable(error) from error

    def _read_up_to(self, state: State) -> Saved:
        walkers, parameters = state.positions.shape
        positions = np.empty((walkers, state.iteration, parameters))
        log_probabilities = np.empty((walkers, state.iteration))
        self.read(positions, log_probabilities)
        return Saved(positions, log_probabilities, state)

    def _check(self, positions: FloatArray, log_probabilities: FloatArray, state: State) -> None:
        """Refuse samples that do not continue the chain: an error of the caller, not of the disk."""
        if not self._chain:
            raise ValueError("append before begin or load")
        done, (walkers, parameters) = self._chain[-1].name.end, self._shape
        added = state.iteration - done
        if added < 1 or positions.shape != (walkers, added, parameters):
            raise ValueError(
                f"positions {positions.shape} up to iteration {state.iteration} do not continue "
                f"{self._shape} at iteration {done}"
            )
        if not (
            np.array_equal(positions[:, -1], state.positions)
            and log_probabilities.shape == (walkers, added)
            and state.log_probabilities is not None
            and np.array_equal(log_probabilities[:, -1], state.log_probabilities)
        ):
            raise ValueError("the state is not the one at the end of the samples")

    def _write(self, content: bytes) -> None:
        link = link_of(content)
        write_whole(self.directory / str(link.name), content)
        self._chain.append(link)

    def _set_aside(self, found: recovery.Recovered) -> None:
        self.notes = found.notes
        if not found.unusable:
            return
        self._move_aside(found.unusable)
        count = len(found.unusable)
        where = self.directory / ASIDE
        self.notes.append(f"{count} segment{'s' * (count > 1)} of {self.directory} moved to {where}")

    def _move_aside(self, names: list[Name]) -> None:
        aside = self.directory / ASIDE
        aside.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
        for name in names:
            # A file with this name may have been moved here before: do not overwrite it.
            taken = sum(1 for _ in aside.glob(f"{name}*"))
            os.rename(self.directory / str(name), aside / (f"{name}.{taken}" if taken else str(name)))

    @contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            done = (
                f"the last checkpoint ({counted(self._chain[-1].name.end, 'iteration')}) is intact"
                if self._chain
                else ""
            )
            fault = Fault(
                str(self.directory),
                f"cannot save {what} ({reason(error)})" + (f"; {done}" if done else ""),
                "free disk space, or make it writable, and run the same command again"
                + (" to resume" if done else "; nothing was computed yet"),
            )
            raise Refusal(ExitCode.CANNOT_CREATE, [fault]) from error

    def _unreadable(self, error: OSError | Damaged) -> Refusal:
        where, why = self.directory, str(error)
        if isinstance(error, OSError):
            where, why = error.filename or where, reason(error)
        fault = Fault(
            str(where),
            f"the checkpoint cannot be read or cleaned up ({why}); no sample was removed",
            "check the file system and run the same command again",
        )
        return Refusal(ExitCode.CANNOT_CREATE, [fault])
