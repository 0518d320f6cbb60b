"""Records what the units of Cu-Mg's likelihood take, for the workers that only sleep.

PYTHONPATH=tests python bench/record_times.py [WHOSE...]: writes WHOSE-times.json for cu-mg, which is ESPEI's
own functions, and for cu-mg-prepared; for both without one. They are kept in the project.
"""

import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from case import cu_mg
from espei_hpc.inputs.quiet import quiet
from espei_hpc.likelihood import WARM_UP, Evaluator
from sleeping import PREPARED, STOCK, times
from unit.likelihood.likelihood_cases import TRUSTING, stock

WALKERS = 10
REPEATS = 3
VERIFY = {STOCK: 0, PREPARED: TRUSTING}


def record(verify: int) -> dict[str, Any]:
    """Evaluate some starting walkers; of each unit the fastest of a few times counts, the machine is busy.

    Args:
        verify: one in how many evaluations of prepared units is compared; 0 for ESPEI's own functions.
    """
    with tempfile.TemporaryDirectory() as directory, quiet():
        path = cu_mg(Path(directory) / "cu-mg", 2, scheduler=None)
        start = stock(yaml.safe_load(path.read_text()))
    evaluate = Evaluator(replace(start.recipe, verify=verify).packed())
    description = evaluate.description
    for walker in start.chains[: WARM_UP + 1]:
        # Warms up; and what is compared with ESPEI's own takes longer.
        evaluate(walker)
    seconds: list[list[float]] = []
    cpu = []
    counts: list[int] = []
    for walker in start.chains[:WALKERS]:
        begin = time.process_time()
        runs = [evaluate(walker) for _ in range(REPEATS)]
        cpu.append((time.process_time() - begin) / REPEATS)
        units = range(len(description.units))
        seconds.append([round(min(run.seconds[unit] for run in runs), 6) for unit in units])
        counts = [len(runs[0].results[unit].values) for unit in units]
    residuals = [
        {"name": residual.name, "kind": residual.kind, "weight": residual.weight, "units": residual.units}
        for residual in description.residuals
    ]
    return {
        "symbols": len(description.symbols),
        "walkers": len(start.chains),
        "cpu_seconds": round(sum(cpu) / len(cpu), 4),
        "residuals": residuals,
        "values": counts,
        "seconds": seconds,
    }


if __name__ == "__main__":
    for whose in sys.argv[1:] or VERIFY:
        recorded = record(VERIFY[whose])
        times(whose).write_text(json.dumps(recorded).replace("], [", "],\n[") + "\n")
        totals = [sum(row) for row in recorded["seconds"]]
        told = f"{recorded['cpu_seconds']} CPU s; units {min(totals):.3f} to {max(totals):.3f} s"
        print(f"{whose}: an evaluation {told}")
