"""trace.npy and lnprob.npy: ESPEI's at the end, trimmed to what is done before."""

from pathlib import Path

from espei_hpc.rundir.checkpoint import write_array
from espei_hpc.sampler import FloatArray

GROWTH = 3
"""The arrays are written anew when the chain is this many times as long as when they were last written,
and not in the second half of the fit: so all of these files together stay below the final ones."""


class SampleFiles:
    """Writes the arrays for readers.

    Args:
        trace: where the samples go; None for nowhere.
        lnprob: where their log-probabilities go; None for nowhere.
        iterations: iterations asked for.
    """

    def __init__(self, trace: Path | None, lnprob: Path | None, iterations: int) -> None:
        self._trace = trace
        self._lnprob = lnprob
        self._last = iterations // 2
        self._next = 1

    def write_if_due(self, positions: FloatArray, log_probabilities: FloatArray) -> None:
        """Write the arrays if the chain has grown much since the last time."""
        done = positions.shape[1]
        if self._next <= done <= self._last:
            self.write(positions, log_probabilities)
            self._next = GROWTH * done

    def write(self, positions: FloatArray, log_probabilities: FloatArray) -> None:
        """Write the arrays: each whole or not at all, and never over a file of somebody else's.

        Raises:
            Refusal: (CANNOT_CREATE) if a file cannot be written, or is another fit's.
        """
        for path, array in ((self._trace, positions), (self._lnprob, log_probabilities)):
            if path is not None:
                write_array(path, array)
