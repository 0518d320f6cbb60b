"""The settings of the sampler: walkers, priors, weights, the restart trace."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from espei.optimizers.opt_mcmc import EmceeOptimizer
from espei.priors import PriorSpec

from espei_hpc.inputs.datasets import Dataset
from espei_hpc.inputs.findings import Findings, named
from espei_hpc.inputs.settings import Settings
from espei_hpc.inputs.walkers import Walkers
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
        findings.fault("mcmc.chain_std_deviation", f"must be a number, not {spread!r}")
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


def check_prior(
    mcmc: Settings, symbols: Sequence[str], start: Walkers | None, findings: Findings
) -> tuple[int, ...]:
    """Check that ESPEI can build the prior, and that it allows the starting walkers.

    Args:
        mcmc: the settings.
        symbols: the symbols to fit; empty if unknown.
        start: where the walkers start; None if unknown.
        findings: collects the faults.

    Returns:
        the numbers of the walkers that it does not allow, counted from 1.
    """
    prior = mcmc.get("prior", {"name": "zero"})
    if isinstance(prior, list) and symbols and len(prior) != len(symbols):
        findings.fault(
            "mcmc.prior",
            f"lists {counted(len(prior), 'prior')} for {counted(len(symbols), 'symbol')}: "
            "ESPEI would silently ignore the rest",
            f"list one for each of {named(list(symbols))}",
        )
        return ()
    for spec in prior if isinstance(prior, list) else [prior]:
        name = spec.get("name") if isinstance(spec, dict) else spec
        if not isinstance(spec, dict) or name not in PriorSpec.SUPPORTED_PRIORS:
            supported = " or ".join(PriorSpec.SUPPORTED_PRIORS)
            findings.fault("mcmc.prior", f"{name!r} is not a prior", f"use one with the name {supported}")
            return ()
    with findings.guard("mcmc.prior", "ESPEI cannot build the prior"):
        # Without starting values, use one made-up symbol per prior: faults of the priors show anyway.
        made_up = [f"symbol {n}" for n in range(len(prior) if isinstance(prior, list) else 1)]
        names = list(start.symbols) if start else made_up
        values = start.initial[0] if start else np.ones(len(made_up))
        built = EmceeOptimizer.get_priors(prior, names, values)["prior_rvs"]
        if start:
            return _check_allowed(prior, built, start, findings)
    return ()


def _check_allowed(prior: Any, built: Sequence[Any], start: Walkers, findings: Findings) -> tuple[int, ...]:
    """Check which starting walkers a prior allows, as :func:`check_prior`."""
    allowed = np.array(
        [
            [not np.isneginf(rv.logpdf(value)) for rv, value in zip(built, walker, strict=True)]
            for walker in (*start.initial, *start.known)
        ]
    )
    forbidden = [
        symbol
        for symbol, right in zip(start.symbols, np.all(allowed[1:], axis=0).tolist(), strict=True)
        if not right
    ]
    outside = np.flatnonzero(~allowed[1:].all(axis=1))
    if not forbidden:
        return ()
    specs = prior if isinstance(prior, list) else [prior] * len(start.symbols)
    kinds = dict.fromkeys(
        spec["name"] for spec, symbol in zip(specs, start.symbols, strict=True) if symbol in forbidden
    )
    which = f"the {' or '.join(kinds)} prior of {named(forbidden)}"
    if start.positions is None:
        findings.note(
            f"mcmc.prior: the starting values are outside {which}, and walkers near them may be too"
        )
        return ()
    if outside.size < len(start.positions):
        findings.note(
            f"mcmc.prior: {outside.size} of {counted(len(start.positions), 'walker')} start outside "
            f"{which}: warning: their log-probability is minus infinity until they move, which may take the "
            "whole chain; widen the prior, or reduce mcmc.chain_std_deviation"
        )
        return tuple(int(number) + 1 for number in outside)
    cure = "widen or move the prior"
    initial = [number for number, right in enumerate(allowed[0]) if not right]
    for number in initial:
        value = start.initial[0][number]
        what = f"has zero probability at the starting value {value:g} of {start.symbols[number]}"
        findings.fault("mcmc.prior", what, cure)
    if not initial:
        findings.fault("mcmc.prior", f"all {len(start.positions)} walkers start outside {which}", cure)
    return ()


def check_restart_trace(file: Path, symbols: Sequence[str], findings: Findings) -> int | None:
    """Check the restart trace.

    Returns:
        Its number of walkers, or None if it is not usable.
    """
    key = "mcmc.restart_trace"
    try:
        trace = np.load(file, mmap_mode="r")  # it may be larger than the memory
    except FileNotFoundError:
        findings.fault(key, f"{file} does not exist")
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
