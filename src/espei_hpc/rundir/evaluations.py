"""``evaluations.npz``: every evaluation of a search for the best fit, from which it resumes.

The search depends on nothing but its evaluations: it begins anew and finds those that it has made before.
"""

import io
import time
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.checkpoint import CHECKPOINT_SECONDS
from espei_hpc.rundir.files import write_safely
from espei_hpc.sampler import FloatArray

NAME = "evaluations.npz"


class EvaluationsFile:
    """The evaluations of a search.

    Args:
        run_directory: its run directory.

    Attributes:
        units: number of the likelihood's unit of each row, shape (rows,); empty before it is known.

    Raises:
        Refusal: (BAD_INPUT) if the file is damaged.
    """

    def __init__(self, run_directory: Path) -> None:
        self.path = run_directory / NAME
        self.units: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._kept: dict[bytes, tuple[float, FloatArray] | None] = {}
        self._saved, self._saved_at = 0, time.monotonic()
        if self.path.exists():
            self._read()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, point: FloatArray) -> bool:
        return point.tobytes() in self._kept

    def __getitem__(self, point: FloatArray) -> tuple[float, FloatArray] | None:
        """Return log-probability and rows, shape (rows,), at a point; None if the first is minus infinity."""
        return self._kept[point.tobytes()]

    def get(self, point: FloatArray) -> tuple[float, FloatArray] | None:
        """Return the same; None also if the point was not evaluated."""
        return self._kept.get(point.tobytes())

    def add(self, point: FloatArray, found: tuple[float, FloatArray] | None) -> None:
        """Keep an evaluation at a point, shape (parameters,)."""
        self._kept[point.tobytes()] = found

    def save(self) -> None:
        """Write the file, if there is anything new.

        Raises:
            Refusal: (CANNOT_CREATE) on a file-system error; the file is as it was.
        """
        if len(self._kept) == self._saved:
            return
        write_safely(self.path, self._content())
        self._saved, self._saved_at = len(self._kept), time.monotonic()

    def save_if_due(self) -> None:
        """Write the file if the last time was some time ago."""
        if time.monotonic() - self._saved_at >= CHECKPOINT_SECONDS:
            self.save()

    def _content(self) -> bytes:
        rows = max((found[1].size for found in self._kept.values() if found), default=0)
        nothing = (-np.inf, np.full(rows, np.nan))
        found = [one or nothing for one in self._kept.values()]
        file = io.BytesIO()
        np.savez(
            file,
            units=self.units,
            points=np.array([np.frombuffer(point) for point in self._kept]),
            log_probabilities=np.array([one[0] for one in found]),
            rows=np.array([one[1] for one in found]),
        )
        return file.getvalue()

    def _read(self) -> None:
        try:
            with np.load(self.path, allow_pickle=False) as content:
                points, known, rows = (content[key] for key in ("points", "log_probabilities", "rows"))
                self.units = content["units"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            cure = "start a new search with --force-new (the old one is moved aside)"
            fault = Fault(str(self.path), f"is damaged ({error})", cure)
            raise Refusal(ExitCode.BAD_INPUT, [fault]) from error
        for point, log_probability, row in zip(points, known, rows, strict=True):
            self.add(point, (float(log_probability), row) if np.isfinite(log_probability) else None)
        self._saved = len(self._kept)
