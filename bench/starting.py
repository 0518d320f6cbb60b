"""Part d: from the start of the command to the first evaluation, ours and the documented hand-made way."""

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from case import INPUT, example
from fit_commands import OURS_BEGINS, lines
from processes import BIN, child, wait_until

RANKS = 3
REPEATS = 3
ITERATIONS = 20
NOTES = "first-evaluation.txt"
HOOK = Path(__file__).with_name("first_evaluation")
MPI = BIN.parent / "mpi" / "mpich"

HAND_MADE = (
    f"unset MPI4PY_MPIABI; {MPI}/bin/mpirun -n {RANKS} -bind-to none dask-mpi --scheduler-file s.json "
    f"--nthreads 1 --memory-limit 0 --worker-class distributed.Worker & exec espei --in {INPUT}"
)
"""As ESPEI's documentation has it, with the worker class without which its ranks do not come up."""


def measure() -> dict[str, Any]:
    """Measure both, alternating."""
    seconds: dict[str, list[float]] = {"ours": [], "hand_made": []}
    for _ in range(REPEATS):
        for name, until in (("ours", _ours), ("hand_made", _hand_made)):
            with tempfile.TemporaryDirectory() as place:
                example(Path(place) / "fit", ITERATIONS, scheduler="s.json")
                seconds[name].append(round(until(Path(place) / "fit"), 2))
    return {name: {"median": statistics.median(taken), "all": taken} for name, taken in seconds.items()}


def _ours(directory: Path) -> float:
    """Run ``espei-mpi`` until it prints that the first evaluations are submitted."""
    launcher = f"{MPI}/bin/mpirun -bind-to none"
    begin = time.monotonic()
    words: list[str | Path] = [BIN / "espei-mpi", "--in", INPUT, "-n", str(RANKS), "--launcher", launcher]
    for when, line in lines(words, directory):
        if OURS_BEGINS in line:
            return when - begin
    raise RuntimeError("the fit ended without a line about its sampling")


def _hand_made(directory: Path) -> float:
    """Run the documented commands until a worker notes its first evaluation."""
    notes = directory / NOTES
    more = {
        "FIRST_EVALUATION": str(notes),
        "PYTHONPATH": f"{HOOK}:{os.environ.get('PYTHONPATH', '')}",
        "LD_LIBRARY_PATH": f"{MPI}/lib",
    }
    begin = time.monotonic()
    with child("bash", "-c", HAND_MADE, cwd=directory, more=more):
        wait_until(lambda: notes.exists() and "\n" in notes.read_text(), "the first evaluation")
        return float(notes.read_text().split()[0]) - begin
