"""Part f: the likelihood by ESPEI's own functions and prepared: CPU time, the first evaluation, memory.

Prepared is measured with the compiled kernel, the CPU time without it too. Every measurement has a process
of its own.
"""

import json
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from espei_hpc.fit.opening import VERIFY
from likelihoods import Likelihood, keep, likelihoods
from processes import BIN, child

WAYS = ("stock", "prepared")
FIRSTS = 3
"""Processes whose first evaluation is timed, each way; the fastest counts."""
EVALUATIONS = 500
SLOW, FEWER = 0.25, 60
"""CPU seconds of stock's evaluation above which it is so often evaluated, not 500 times."""
LIMIT = 1800.0

Row = dict[str, Any]


def measure() -> Row:
    """Measure all likelihoods."""
    return {"verify": VERIFY, "evaluations": EVALUATIONS, "rows": [_measured(one) for one in likelihoods()]}


def _measured(likelihood: Likelihood) -> Row:
    print(f"  {likelihood.name}", flush=True)
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        keep(likelihood, directory)
        row = _once(directory, "compared")
        numbers = {"stock": FEWER if row["stock"] > SLOW else EVALUATIONS, "prepared": EVALUATIONS}
        firsts = [{way: _once(directory, way, 1) for way in WAYS} for _ in range(FIRSTS)]
        with ThreadPoolExecutor(len(WAYS)) as threads:  # memory alone: they may share the cores
            runs = list(threads.map(lambda way: _once(directory, way, numbers[way]), WAYS))
    return {
        "name": likelihood.name,
        **row,
        "built": {way: min(run[way]["built"] for run in firsts) for way in WAYS},
        "first": {way: min(run[way]["first"] for run in firsts) for way in WAYS},
        "memory": {way: _course(run["megabytes"]) for way, run in zip(WAYS, runs, strict=True)},
        "memory_ratio": _ratio(*(run["megabytes"] for run in runs)),
    }


def _course(sizes: list[float]) -> dict[str, float]:
    """Return MB after the first, tenth and last evaluation, and MB per evaluation in the second half."""
    half = len(sizes) // 2
    slope = np.polyfit(range(half, len(sizes)), sizes[half:], 1)[0]
    return {
        "evaluations": len(sizes),
        "first": round(sizes[0], 1),
        "tenth": round(sizes[9], 1),
        "last": round(sizes[-1], 1),
        "slope": round(float(slope), 4),
    }


def _ratio(stock: list[float], prepared: list[float]) -> float:
    """Return how much more memory prepared takes, after as many evaluations."""
    number = min(len(stock), len(prepared))
    return round(prepared[number - 1] / stock[number - 1], 3)


def _once(directory: Path, what: str, evaluations: int = 0) -> Row:
    script = Path(__file__).with_name("likelihood_once.py")
    words: list[str | Path] = [BIN / "python", script, directory, what, str(evaluations)]
    with child(*words, cwd=directory, output=subprocess.PIPE) as process:
        output = process.communicate(timeout=LIMIT)[0].decode()
    if process.returncode != 0:
        raise RuntimeError(f"{what}: {process.returncode} {output}")
    row: Row = json.loads(output.splitlines()[-1])
    return row
