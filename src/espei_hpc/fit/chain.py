"""The chain of a fit: complete in memory, and on disk up to its last checkpoint."""

import time

import numpy as np

from espei_hpc.fit.sample_files import SampleFiles
from espei_hpc.inputs import Problem
from espei_hpc.likelihood import Difference
from espei_hpc.rundir.checkpoint import CHECKPOINT_SECONDS
from espei_hpc.rundir.run_directory import RunDirectory
from espei_hpc.sampler import Block, FloatArray, State


class Chain:
    """Keeps the samples in memory and writes them to disk.

    Args:
        directory: the run directory, whose checkpoint has the chain so far.
        files: trace.npy and lnprob.npy, for those who read the samples during the fit.
        begun: the initial state, used if the checkpoint is empty.
        iterations: iterations requested.
        save_interval: maximum number of iterations between two checkpoints; None for no limit.

    Attributes:
        state: the ensemble at the end of the last finished iteration.
        written_at: when the last checkpoint of this start was written, s since 1970; None before the first.
    """

    def __init__(
        self,
        directory: RunDirectory,
        files: SampleFiles,
        begun: State,
        iterations: int,
        save_interval: int | None,
    ) -> None:
        self._store = directory.store
        self._lock = directory.lock
        self._files = files
        self._save_interval = save_interval
        if directory.saved is None:
            self._store.begin(begun)
            self.state = begun
        else:
            self.state = directory.saved.state
        self._directory = directory
        self._allocate(self.state, max(iterations, self.state.iteration))
        if directory.saved is not None:
            self._fill(0, directory.saved.positions, directory.saved.log_probabilities)
        self._saved, self._saved_at = self.state.iteration, time.monotonic()
        self._checkpoint_seconds = self._array_seconds = 0.0
        self.written_at: float | None = None

    @property
    def saving(self) -> float:
        """The longest time to write a checkpoint plus the longest time to write the arrays, s."""
        return self._checkpoint_seconds + self._array_seconds

    @property
    def done(self) -> int:
        """Number of finished iterations."""
        return self.state.iteration

    @property
    def positions(self) -> FloatArray:
        """The samples, shape (walkers, finished iterations, parameters)."""
        return self._positions[:, : self.done]

    @property
    def log_probabilities(self) -> FloatArray:
        """The log-probabilities of the samples, shape (walkers, finished iterations)."""
        return self._log_probabilities[:, : self.done]

    def add(self, block: Block) -> None:
        """Append finished iterations."""
        self._fill(block.first, block.positions, block.log_probabilities)
        self.state = block.state

    def go_back(self, iteration: int, problem: Problem, found: Difference) -> None:
        """Go back to the last checkpoint that has at most ``iteration`` iterations.

        Args:
            iteration: number of iterations that are trusted.
            problem: the input.
            found: the difference that caused this.

        Raises:
            Refusal: if files cannot be written or moved.
        """
        self._lock.check()
        self._directory.go_back(problem, iteration, found._asdict())
        assert self._directory.saved is not None  # noqa: S101 (a chain has its start)
        # Later iterations in the arrays are overwritten as sampling continues.
        self.state = self._directory.saved.state
        self._saved, self._saved_at = self.state.iteration, time.monotonic()

    def save_if_due(self) -> None:
        """Write a checkpoint if one is due, and sometimes the arrays too."""
        new = self.done - self._saved
        often = self._save_interval is not None and new >= self._save_interval
        if new and (often or time.monotonic() - self._saved_at >= CHECKPOINT_SECONDS):
            self.save()
            began = time.monotonic()
            self._files.write_if_due(self.positions, self.log_probabilities)
            self._array_seconds = max(self._array_seconds, time.monotonic() - began)

    def save(self) -> None:
        """Write the iterations that are not saved yet to a checkpoint.

        Raises:
            Refusal: (CANNOT_CREATE) if it cannot be written; earlier checkpoints stay intact.
                (UNAVAILABLE) if this machine hung for so long that another one has taken over the fit.
        """
        if self.done > self._saved:
            began = time.monotonic()
            self._lock.check()
            new = slice(self._saved, self.done)
            self._store.append(self._positions[:, new], self._log_probabilities[:, new], self.state)
            self._saved, self.written_at = self.done, time.time()
            self._checkpoint_seconds = max(self._checkpoint_seconds, time.monotonic() - began)
        self._saved_at = time.monotonic()

    def write_arrays(self) -> None:
        """Write trace.npy and lnprob.npy with all finished iterations."""
        if self.done:
            self._files.write(self.positions, self.log_probabilities)

    def _allocate(self, state: State, iterations: int) -> None:
        walkers, parameters = state.positions.shape
        self._positions = np.zeros((walkers, iterations, parameters))
        self._log_probabilities = np.zeros((walkers, iterations))

    def _fill(self, first: int, positions: FloatArray, log_probabilities: FloatArray) -> None:
        until = first + positions.shape[1]
        self._positions[:, first:until] = positions
        self._log_probabilities[:, first:until] = log_probabilities
