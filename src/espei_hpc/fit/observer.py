"""What is known of a sampling, kept up to date while it runs, and told."""

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
        sampling: is kept up to date; its iterations and the end of its job are known.
        run_directory: gets ``progress.json`` and ``timeline.npz``.
        report: called when the sampling begins and as iterations are done.
    """

    def __init__(self, sampling: Sampling, run_directory: Path, report: Callable[[Sampling], None]) -> None:
        self.sampling = sampling
        self._report = report
        self._file = ProgressFile(run_directory)
        self._timeline = TimelineFile(run_directory)
        self._recent = Recent(time.monotonic(), 0)

    def begins(self, chain: Chain) -> None:
        """Take note that the sampling begins, or begins again."""
        self._recent = Recent(time.monotonic(), chain.done)
        self.sampling.paced(self._recent)
        self.note(chain)
        self._report(self.sampling)

    def evaluated(self, done: Done) -> None:
        """Take note of a piece that a worker has evaluated."""
        self._recent.answered(done.seconds, preparing=bool(done.value.preparing))
        self._timeline.add(done)

    def iterated(self, chain: Chain, workers: int, awaited: int = 0) -> None:
        """Take note of iterations that are done.

        Args:
            chain: with these.
            workers: how many take part.
            awaited: workers that still build their likelihood.
        """
        self._recent.passed(time.monotonic(), workers)
        self._recent.iterated(chain.done, awaited)
        self.sampling.paced(self._recent)
        self.note(chain)
        self._report(self.sampling)

    def turned(self, chain: Chain, workers: int) -> None:
        """Take note of what changes within an iteration too."""
        self._recent.passed(time.monotonic(), workers)
        if chain.written_at != self.sampling.saved_at:
            self._timeline.write_if_due()
        self.sampling.workers, self.sampling.saved_at = workers, chain.written_at
        self._file.write_if_due(self.sampling)

    def note(self, chain: Chain) -> None:
        """Take note of where the walkers are."""
        sampling = self.sampling
        sampling.done = chain.done
        if chain.done:
            sampling.last = chain.log_probabilities[:, -1]
            sampling.best = float(np.max(chain.log_probabilities))
            sampling.acceptance = float(np.mean(chain.state.accepted)) / chain.done

    def ends(self, chain: Chain) -> None:
        """Write down where it ended."""
        self.note(chain)
        self.sampling.saved_at = chain.written_at
        self._file.write(self.sampling)
        self._timeline.write()
