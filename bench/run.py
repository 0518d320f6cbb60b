"""Run benchmarks: python bench/run.py [PART...], each part a letter [default: all]. About two hours.

Writes results.json, and from it results.md and scale.png. Parts that are not
measured keep the figures of the last time. Nothing else should run on the machine.
"""

import json
import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import likelihood
import memory
import prepared_scale
import real
import report
import samplers
import scale
import starting
import written

PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "a": real.measure,
    "b": scale.measure,
    "c": written.measure,
    "d": starting.measure,
    "e": memory.measure,
    "f": likelihood.measure,
    "g": prepared_scale.measure,
    "h": samplers.measure,
}


def conditions() -> dict[str, Any]:
    """Return what the figures depend on besides this project."""
    packages = ("espei", "pycalphad", "emcee", "dask", "distributed", "dask-mpi")
    return {
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
    }


def main(parts: list[str]) -> None:
    """Measure some parts and write everything."""
    if unknown := set(parts) - set(PARTS):
        raise SystemExit(f"no part {', '.join(sorted(unknown))}: choose among {', '.join(PARTS)}")
    results: dict[str, Any] = json.loads(report.RESULTS.read_text()) if report.RESULTS.exists() else {}
    for part in parts or PARTS:
        print(f"measuring part {part}: {PARTS[part].__module__}.py", flush=True)
        results.setdefault("conditions", {})[part] = conditions()
        results[part] = PARTS[part]()
        # One row per line, for readable diffs.
        report.RESULTS.write_text(json.dumps(results).replace("}, {", "},\n {") + "\n")
    report.write()


if __name__ == "__main__":
    main(sys.argv[1:])
