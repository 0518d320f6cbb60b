"""Keeps the progress of a sampling up to date and reports it."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from espei_hpc.fit.chain import Chain
from espei_hpc.rundir.progress_file import ProgressFile
from espei_hpc.rundir.timeline import TimelineFile
from espei_hpc.sampler.pace import Recent
from espei_hpc.sampler.sampling import Sampling
from espei_hpc.workers.results import Done


class Observer:
    """Follows a sampling.

    Args:
        sampling: the progress to update; its iterations and the end of its job are already set.
        run_directory: directory for ``progress.json`` and ``timeline.npz``.
        report: called when the sampling begins and as iterations finish.
    """

    def __init__(self, sampling: Sampling, run_directory: Path, report: Callable[[Sampling], None]) -> None:
        self.sampling = sampling
        self._report = report
        self._file = ProgressFile(run_directory)
        self._timeline = TimelineFile(run_directory)
        self._recent = Recent(time.monotonic(), 0)

    def begins(self, chain: Chain) -> None:
        """Record that the sampling begins or resumes."""
        self._recent = Recent(time.monotonic(), chain.done)
        self.sampling.paced(self._recent)
        self.note(chain)
        self._report(self.sampling)

    def evaluated(self, done: Done) -> None:
        """Record a piece that a worker has evaluated."""
        self._recent.answered(done.seconds, preparing=bool(done.value.preparing))
        self._timeline.add(done)

    def iterated(self, chain: Chain, workers: int, awaited: int = 0) -> None:
        """Record finished iterations.

        Args:
            chain: the chain, which has them.
            workers: number of workers.
            awaited: number of workers that are still building their likelihood.
        """
        self._recent.passed(time.monotonic(), workers)
        self._recent.iterated(chain.done, awaited)
        self.sampling.paced(self._recent)
        self.note(chain)
        self._report(self.sampling)

    def turned(self, chain: Chain, workers: int) -> None:
        """Record what also changes during an iteration."""
        self._recent.passed(time.monotonic(), workers)
        if chain.written_at != self.sampling.saved_at:
            self._timeline.write_if_due()
        self.sampling.workers, self.sampling.saved_at = workers, chain.written_at
        self._file.write_if_due(self.sampling)

    def note(self, chain: Chain) -> None:
        """Record the state of the walkers."""
        sampling = self.sampling
        sampling.done = chain.done
        if chain.done:
            sampling.last = chain.log_probabilities[:, -1]
            sampling.best = float(np.max(chain.log_probabilities))
            sampling.acceptance = float(np.mean(chain.state.accepted)) / chain.done

    def ends(self, chain: Chain) -> None:
        """Record the final state and write the files."""
        self.note(chain)
        self.sampling.saved_at = chain.written_at
        self._file.write(self.sampling)
        self._timeline.write()
