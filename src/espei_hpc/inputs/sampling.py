"""The settings of the sampler: iterations, spread, weights, the restart trace."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from espei.optimizers.opt_mcmc import EmceeOptimizer

from espei_hpc.inputs.datasets import Dataset
from espei_hpc.inputs.findings import Findings, named
from espei_hpc.inputs.settings import Settings, number_as_text
from espei_hpc.parsing import unexpanded
from espei_hpc.text import counted

FEWEST_ITERATIONS = 2
DATA_WEIGHTS = frozenset({"ZPF", "ACR", "HM", "SM", "CPM"})


def check_iterations(mcmc: Settings, findings: Findings) -> None:
    """Refuse chains that are too short for ESPEI to find the best parameters."""
    if mcmc.get("iterations", FEWEST_ITERATIONS) < FEWEST_ITERATIONS:
        findings.fault(
            "mcmc.iterations",
            f"{mcmc['iterations']} is too few: ESPEI finds no best sample in so short a chain and writes a "
            "database with every fitted symbol 0",
            f"set at least {FEWEST_ITERATIONS}",
        )


def check_spread(mcmc: Settings, findings: Findings) -> None:
    """Check the initial spread of the walkers, which ESPEI's schema does not check."""
    spread = mcmc.get("chain_std_deviation", 0.1)
    if isinstance(spread, bool) or not isinstance(spread, int | float) or not np.isfinite(spread):
        cure = number_as_text(spread)
        findings.fault("mcmc.chain_std_deviation", f"must be a number, not {spread!r}", cure)
    elif spread == 0:
        findings.fault(
            "mcmc.chain_std_deviation",
            "0 starts all walkers at the same point, and the sampler's moves cannot leave it",
            "set a fraction above 0, such as 0.1",
        )


def check_weights(mcmc: Settings, datasets: Sequence[Dataset], findings: Findings) -> dict[str, float]:
    """Check the weights by data type: ESPEI ignores names that it does not know.

    Returns:
        Those without a fault.
    """
    sound = {}
    known = DATA_WEIGHTS | {name for dataset in datasets for name in _property_names(dataset)}
    for name, weight in mcmc.get("data_weights", {}).items():
        key = f"mcmc.data_weights.{name}"
        number = isinstance(weight, int | float) and not isinstance(weight, bool) and np.isfinite(weight)
        if name not in known:
            findings.fault(key, "unknown data type: ESPEI would ignore it", f"known: {named(known, 20)}")
        elif not number or weight <= 0:
            findings.fault(
                key, f"must be a number above 0, not {weight!r}", "to exclude data, disable the datasets"
            )
        else:
            sound[name] = weight
    return sound


def _property_names(dataset: Dataset) -> tuple[str, ...]:
    """Return the names under which ESPEI looks up the weight of an equilibrium property."""
    output = str(dataset["output"])
    return () if "solver" in dataset else (output.split("_")[0], output.removesuffix("R"))


def check_restart_trace(file: Path, symbols: Sequence[str], findings: Findings) -> int | None:
    """Check the restart trace.

    Returns:
        Its number of walkers, or None if it is not usable.
    """
    key = "mcmc.restart_trace"
    try:
        trace = np.load(file, mmap_mode="r")  # it may be larger than the memory
    except FileNotFoundError:
        findings.fault(key, f"{file} does not exist", unexpanded(file))
        return None
    except Exception:
        findings.fault(key, f"{file} is not an array that NumPy can read", "use a trace written by ESPEI")
        return None
    if wrong := _wrong_shape(trace, symbols) or _wrong_values(trace):
        findings.fault(key, f"{file} {wrong}")
        return None
    findings.note(f"{key}: ESPEI restarts its random numbers, so a chain of many short restarts is biased")
    return int(trace.shape[0])


def _wrong_shape(trace: Any, symbols: Sequence[str]) -> str:
    if not isinstance(trace, np.ndarray) or trace.ndim != 3 or trace.dtype.kind not in "fiu":
        shape = getattr(trace, "shape", "no shape")
        return f"must hold numbers in three dimensions (walkers, iterations, parameters), not {shape}"
    walkers, iterations, parameters = trace.shape
    if symbols and parameters != len(symbols):
        fitted = counted(len(symbols), "symbol")
        return f"has {counted(parameters, 'parameter')} for {fitted} to fit: {named(symbols)}"
    if iterations == 0 or walkers == 0:
        return "has no samples"
    if walkers % 2 or walkers < 2 * parameters:
        return (
            f"has {counted(walkers, 'walker')}: the sampler needs an even number, at least {2 * parameters}"
        )
    return ""


def _wrong_values(trace: Any) -> str:
    """Find values that ESPEI cannot start from.

    ESPEI takes the last entries that are not 0, which mixes up walkers and
    parameters if a parameter of a real sample is exactly 0.
    """
    done = np.nonzero(trace.any(axis=(0, 2)))[0]
    if done.size == 0:
        return "has only zeros: no iteration was finished"
    if not np.isfinite(trace).all():
        return "has values that are not finite"
    try:
        walkers = EmceeOptimizer.initialize_chains_from_trace(trace)
        right = np.array_equal(walkers, trace[:, done[-1], :])
    except ValueError:
        right = False
    return (
        ""
        if right
        else (
            "has samples with a parameter of exactly 0, from which ESPEI would build wrong walkers; "
            "use a trace without such samples, or start from a database"
        )
    )


def note_overridden(raw: Mapping[str, Any], findings: Findings) -> None:
    """Note the settings of the input that the cluster overrides."""
    mcmc = raw.get("mcmc")
    given = mcmc if isinstance(mcmc, dict) else {}
    scheduler, cores = given.get("scheduler"), given.get("cores")
    if scheduler == "dask":
        findings.note("mcmc.scheduler: dask is ignored: the fit uses the workers of the cluster")
    elif scheduler is not None:
        findings.note(f"mcmc.scheduler: only run-fit uses {scheduler}: espei-mpi starts its own cluster")
    if cores is not None:
        findings.note(f"mcmc.cores: {cores} is ignored: the fit uses the workers of the cluster")
