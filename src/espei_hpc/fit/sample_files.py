"""trace.npy and lnprob.npy: as ESPEI writes them at the end, before that with the finished iterations."""

from pathlib import Path

from espei_hpc.rundir.checkpoint import write_array
from espei_hpc.sampler import FloatArray

GROWTH = 3
"""The arrays are rewritten when the chain is this many times as long as when they were last written, and
not in the second half of the fit: all these writes together are smaller than the final one."""


class SampleFiles:
    """Writes the arrays for readers.

    Args:
        trace: file of the samples; None to write none.
        lnprob: file of their log-probabilities; None to write none.
        iterations: iterations requested.
    """

    def __init__(self, trace: Path | None, lnprob: Path | None, iterations: int) -> None:
        self._trace = trace
        self._lnprob = lnprob
        self._last = iterations // 2
        self._next = 1

    def write_if_due(self, positions: FloatArray, log_probabilities: FloatArray) -> None:
        """Write the arrays if the chain has grown enough since they were last written."""
        done = positions.shape[1]
        if self._next <= done <= self._last:
            self.write(positions, log_probabilities)
            self._next = GROWTH * done

    def write(self, positions: FloatArray, log_probabilities: FloatArray) -> None:
        """Write each array atomically; never overwrite a file that this fit did not write.

        Raises:
            Refusal: (CANNOT_CREATE) if a file cannot be written, or was not written by this fit.
        """
        for path, array in ((self._trace, positions), (self._lnprob, log_probabilities)):
            if path is not None:
                write_array(path, array)
