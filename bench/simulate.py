"""Make the tables of docs/scaling.md: the engine replayed in simulated time.

usage: python bench/simulate.py [OUTPUT.json]        (some minutes on one core, no cluster)
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from espei_hpc.forecast.barrier import barrier
from espei_hpc.forecast.costs import Costs
from espei_hpc.forecast.cut import best_cut
from espei_hpc.forecast.replay import replay

HERE = Path(__file__).parent
CUTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24)
FEW = (12, 15, 19, 24, 30, 39, 63, 120, 127)
MANY = (256, 512, 1024, 2048, 4096)
CALLS = 12_000
EVALUATIONS = (2.4, 0.1)
"""Seconds, by ESPEI's own functions and by the prepared likelihood with the kernel."""

Row = dict[str, Any]


def cu_mg(evaluation: float, spread: float = 0.05) -> Costs:
    """Return the costs of Cu-Mg, its recorded evaluations made to last so many seconds on average."""
    recorded = json.loads((HERE / "cu-mg-times.json").read_text())["seconds"]
    usual = [fmean(walkers) for walkers in zip(*recorded, strict=True)]
    units = {number: evaluation * unit / sum(usual) for number, unit in enumerate(usual)}
    return Costs(evaluation, spread, units)


def run(walkers: int, workers: int, costs: Costs, pieces: int) -> Row:
    """Replay once."""
    iterations = max(4, min(20, CALLS // (walkers * pieces)))
    replayed = asdict(replay(walkers, workers, iterations, costs, pieces))
    figures = {name: float(f"{value:.5g}") for name, value in replayed.items()}
    return {"walkers": walkers, "workers": workers, "pieces": pieces, **figures}


def cuts(walkers: int, numbers: Sequence[int], costs: Costs) -> list[Row]:
    """Replay every number of workers with every number of pieces."""
    return [run(walkers, workers, costs, pieces) for workers in numbers for pieces in CUTS]


def chosen(walkers: int, numbers: Sequence[int], costs: Costs) -> list[Row]:
    """Replay the cut that the engine would choose, the stock flow beside it."""
    rows = []
    for workers in numbers:
        row = run(walkers, workers, costs, best_cut(walkers, workers, costs))
        stock = barrier(walkers, workers, 20, costs)
        row["stock_seconds_per_iteration"] = float(f"{stock:.5g}")
        rows.append(row)
    return rows


def print_cuts(title: str, rows: Sequence[Row]) -> None:
    """Print efficiency by workers (down) and pieces (across)."""
    print(f"\n{title}\n| W | " + " | ".join(map(str, CUTS)) + " |\n|" + "---|" * (len(CUTS) + 1))
    for workers in dict.fromkeys(row["workers"] for row in rows):
        cells = [f"{row['efficiency']:.2f}" for row in rows if row["workers"] == workers]
        print(f"| {workers} | " + " | ".join(cells) + " |")


def print_chosen(title: str, rows: Sequence[Row]) -> None:
    """Print what the chosen cuts give."""
    print(f"\n{title}\n| W | pieces | s/iteration | of the limit | client busy | calls/s | stock | gain |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        ours, stock = row["seconds_per_iteration"], row["stock_seconds_per_iteration"]
        calls = row["calls"] / row["seconds"]
        print(
            f"| {row['workers']} | {row['pieces']} | {ours:.3g} | {row['efficiency']:.2f} "
            f"| {row['client']:.0%} | {calls:.0f} | {stock:.3g} | {stock / ours:.1f} |"
        )


def main() -> None:
    """Replay everything, print it, write it down."""
    tables: dict[str, list[Row]] = {}
    for spread in (0.05, 0.3):
        title = f"30 walkers, 2.4 s an evaluation, spread {spread:.0%}: part of the limit by pieces"
        tables[title] = cuts(30, FEW, cu_mg(2.4, spread))
        print_cuts(title, tables[title])
    for evaluation in EVALUATIONS:
        for spread in (0.05, 0.3):
            title = f"30 walkers, {evaluation} s an evaluation, spread {spread:.0%}: the cut that is chosen"
            tables[title] = chosen(30, FEW, cu_mg(evaluation, spread))
            print_chosen(title, tables[title])
    for walkers in (100, 400):
        for evaluation in EVALUATIONS:
            for per_call in (0.4e-3, 0.1e-3):
                costs = replace(cu_mg(evaluation), per_call=per_call)
                title = f"{walkers} walkers, {evaluation} s an evaluation, {per_call * 1e3:g} ms for a call"
                tables[title] = chosen(walkers, MANY, costs)
                print_chosen(title, tables[title])
    for per_call in (0.4e-3, 0.1e-3):
        title = (
            f"400 walkers, 2.4 s an evaluation, {per_call * 1e3:g} ms for a call: part of the limit by pieces"
        )
        tables[title] = cuts(400, MANY[:3], replace(cu_mg(2.4), per_call=per_call))
        print_cuts(title, tables[title])
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "simulated.json"
    # One row per line, for readable diffs.
    output.write_text(json.dumps(tables).replace("}, {", "},\n  {").replace('], "', '],\n "') + "\n")


if __name__ == "__main__":
    main()
