"""The inputs that are measured: the project's own example, and Cu-Mg with 15 symbols if available."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from processes import ROOT

EXAMPLE = ROOT / "examples" / "cu-mg"
CU_MG = Path(os.environ.get("ESPEI_HPC_CASES", ROOT.parent / "shared" / "cases")) / "cu-mg"
"""Directory of the case, which is not part of the project and may not exist."""

INPUT = "mcmc.yaml"


def example(directory: Path, iterations: int, **mcmc: Any) -> Path:
    """Copy the example to ``directory`` (6 symbols, 12 walkers); return its input."""
    shutil.copytree(EXAMPLE, directory, ignore=shutil.ignore_patterns("*.npy", "*.run", "*_fitted.tdb"))
    settings = yaml.safe_load((directory / INPUT).read_text())
    return _write(directory, settings, settings["mcmc"] | {"iterations": iterations} | mcmc)


def cu_mg(directory: Path, iterations: int, **mcmc: Any) -> Path:
    """Make an input for the case Cu-Mg (15 symbols, 30 walkers)."""
    directory.mkdir(parents=True)
    system = {"phase_models": str(CU_MG / "phase_models.json"), "datasets": str(CU_MG / "input-data")}
    fit = {
        "input_db": str(CU_MG / "cu-mg_dft.tdb"),
        "iterations": iterations,
        "chains_per_parameter": 2,
        "chain_std_deviation": 0.1,
        "deterministic": True,
    }
    return _write(directory, {"system": system}, fit | mcmc)


def _write(directory: Path, settings: Mapping[str, Any], mcmc: Mapping[str, Any]) -> Path:
    output = {"output_db": "fitted.tdb", "tracefile": "trace.npy", "probfile": "lnprob.npy", "verbosity": 1}
    path = directory / INPUT
    path.write_text(yaml.safe_dump({**settings, "mcmc": dict(mcmc), "output": output}))
    return path
