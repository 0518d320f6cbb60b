"""Records what the units of Cu-Mg's likelihood take, for the workers that only sleep.

python bench/record_times.py: writes cu-mg-times.json, which is kept in the project.
"""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from case import cu_mg
from espei_hpc.plan import starting
from espei_hpc.problem import check

TIMES = Path(__file__).with_name("cu-mg-times.json")
WALKERS = 10
REPEATS = 3


def record() -> dict[str, Any]:
    """Evaluate some starting walkers; of each unit the fastest of a few times counts, the machine is busy."""
    with tempfile.TemporaryDirectory() as directory:
        start = starting(check(cu_mg(Path(directory) / "cu-mg", 2)))
    evaluate, description = start.evaluator, start.evaluator.description
    evaluate(start.initial)  # warms up
    times: list[list[float]] = []
    cpu = []
    counts: list[int] = []
    for walker in start.walkers[:WALKERS]:
        begin = time.process_time()
        runs = [evaluate(walker) for _ in range(REPEATS)]
        cpu.append((time.process_time() - begin) / REPEATS)
        units = range(len(description.units))
        times.append([round(min(run.seconds[unit] for run in runs), 6) for unit in units])
        counts = [len(runs[0].results[unit].values) for unit in units]
    residuals = [
        {"name": residual.name, "kind": residual.kind, "weight": residual.weight, "units": residual.units}
        for residual in description.residuals
    ]
    return {
        "symbols": len(description.symbols),
        "walkers": len(start.walkers),
        "cpu_seconds": round(sum(cpu) / len(cpu), 4),
        "residuals": residuals,
        "values": counts,
        "seconds": times,
    }


if __name__ == "__main__":
    recorded = record()
    TIMES.write_text(json.dumps(recorded).replace("], [", "],\n[") + "\n")
    totals = [sum(row) for row in recorded["seconds"]]
    print(f"evaluation: {recorded['cpu_seconds']} CPU s; units {min(totals):.3f} to {max(totals):.3f} s")
