"""Part b: 4 to 127 workers of a real Dask cluster that sleep the recorded times of Cu-Mg, ours and stock."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from espei_hpc.forecast.costs import Costs
from espei_hpc.forecast.cut import best_cut
from espei_hpc.forecast.replay import replay
from processes import BIN, child
from sleeping import STOCK, recorded

SPREADS = (0.05, 0.3)
GROUPS = ((4, 8, 12, 15), (19, 24, 39), (63,), (127,))
"""Numbers of workers that are measured at the same time: together they have few calls a second."""
FORECAST = (4, 12, 39)
FROM_THE_START = (19, 39, 127)

SECONDS = 45.0
"""Seconds of ours, about; longer where an iteration is."""

LIMIT = 600.0
Row = dict[str, Any]


def measure() -> dict[str, Any]:
    """Measure all numbers of workers at all spreads, and add the forecast of ``espei-hpc plan``."""
    rows: list[Row] = []
    for group in GROUPS:
        # Few workers take long and use little CPU: run both spreads at once.
        for spreads in [SPREADS] if group is GROUPS[0] else [(spread,) for spread in SPREADS]:
            rows += together([(workers, spread, SECONDS) for workers in group for spread in spreads])
    from_start = together([(workers, SPREADS[0], 0.0) for workers in FROM_THE_START])
    for row in rows:
        row["gain"] = round(row["stock"]["seconds_per_iteration"] / row["ours"]["seconds_per_iteration"], 3)
        if row["workers"] in FORECAST:
            row["forecast"] = forecast(row)
    rows.sort(key=lambda row: (row["spread"], row["workers"]))
    whole = recorded()
    return {
        "walkers": whole.walkers,
        "evaluation": whole.evaluation,
        "rows": rows,
        "stock_from_the_start": {
            str(row["workers"]): row["stock_from_the_start"]["calls"] for row in from_start
        },
    }


def forecast(row: Row, whose: str = STOCK) -> Row:
    """Return what plan's replay says for as many iterations of the same times, and how far off it is."""
    ours = row["ours"]
    whole = recorded(whose)
    costs = Costs(ours["evaluation"], ours["spread"], whole.usual())
    pieces = best_cut(whole.walkers, row["workers"], costs)
    replayed = replay(whole.walkers, row["workers"], ours["iterations"], costs, pieces)
    return {
        "pieces": pieces,
        "seconds_per_iteration": round(replayed.seconds_per_iteration, 4),
        "measured_over_forecast": round(ours["seconds_per_iteration"] / replayed.seconds_per_iteration, 3),
    }


def together(runs: Sequence[tuple[int, float, float]], whose: str = STOCK) -> list[Row]:
    """Run some at the same time, each on a cluster of its own.

    Args:
        runs: workers, spread and seconds of each.
        whose: whose recorded times they sleep.
    """
    with ThreadPoolExecutor(len(runs)) as threads:
        return list(threads.map(lambda run: _once(*run, whose=whose), runs))


def _once(workers: int, spread: float, seconds: float, *, whose: str) -> Row:
    script = Path(__file__).with_name("scale_once.py")
    with tempfile.TemporaryDirectory() as directory:
        words: list[str | Path] = [BIN / "python", script, directory]
        words += [str(workers), str(spread), str(seconds), whose]
        with child(*words, cwd=Path(directory), output=subprocess.PIPE) as process:
            output = process.communicate(timeout=LIMIT)[0].decode()
    if process.returncode != 0:
        raise RuntimeError(f"{workers} workers, spread {spread:g}: {process.returncode} {output}")
    row: Row = json.loads(output.splitlines()[-1])
    return row
