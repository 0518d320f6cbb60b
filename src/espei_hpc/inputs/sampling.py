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
from espei_hpc.text import counted

FEWEST_ITERATIONS = 2
DATA_WEIGHTS = frozenset({"ZPF", "ACR", "HM", "SM", "CPM"})


def check_iterations(mcmc: Settings, findings: Findings) -> None:
    """Refuse chains too short for ESPEI to find its best parameters in."""
    if mcmc.get("iterations", FEWEST_ITERATIONS) < FEWEST_ITERATIONS:
        findings.fault(
            "mcmc.iterations",
            f"{mcmc['iterations']} is too few: ESPEI finds no best sample in so short a chain and writes a "
            "database with every fitted symbol 0",
            f"give at least {FEWEST_ITERATIONS}",
        )


def check_spread(mcmc: Settings, findings: Findings) -> None:
    """Check the walkers' starting spread, which the schema leaves open."""
    spread = mcmc.get("chain_std_deviation", 0.1)
    if isinstance(spread, bool) or not isinstance(spread, int | float) or not np.isfinite(spread):
        findings.fault("mcmc.chain_std_deviation", f"must be a number, not {spread!r}")
    elif spread == 0:
        findings.fault(
            "mcmc.chain_std_deviation",
            "0 starts every walker at the same point, which no move of the sampler leaves",
            "give a fraction above 0, such as 0.1",
        )


def check_weights(mcmc: Settings, datasets: Sequence[Dataset], findings: Findings) -> None:
    """Check the weights of the kinds of data: ESPEI ignores a name that it does not know."""
    known = DATA_WEIGHTS | {name for dataset in datasets for name in _property_names(dataset)}
    for name, weight in mcmc.get("data_weights", {}).items():
        key = f"mcmc.data_weights.{name}"
        number = isinstance(weight, int | float) and not isinstance(weight, bool) and np.isfinite(weight)
        if name not in known:
            findings.fault(key, "no such kind of data: ESPEI would ignore it", f"it knows {named(known, 20)}")
        elif not number or weight <= 0:
            findings.fault(
                key, f"must be a number above 0, not {weight!r}", "to leave data out, disable their datasets"
            )


def _property_names(dataset: Dataset) -> tuple[str, ...]:
    """The names under which ESPEI looks for the weight of an equilibrium property."""
    output = str(dataset["output"])
    return () if "solver" in dataset else (output.split("_")[0], output.removesuffix("R"))


def check_prior(
    mcmc: Settings, symbols: Sequence[str], initial: Mapping[str, float], findings: Findings
) -> None:
    """Check that the prior can be made and allows the starting values.

    Args:
        mcmc: the settings.
        symbols: to be fitted; empty where they are not known.
        initial: their starting values; empty where these are not known.
        findings: where faults go.
    """
    prior = mcmc.get("prior", {"name": "zero"})
    if isinstance(prior, list) and symbols and len(prior) != len(symbols):
        findings.fault(
            "mcmc.prior",
            f"lists {counted(len(prior), 'prior')} for {counted(len(symbols), 'symbol')}: "
            "ESPEI would silently use only the pairs",
            f"list one for each of {named(list(symbols))}",
        )
        return
    for spec in prior if isinstance(prior, list) else [prior]:
        name = spec.get("name") if isinstance(spec, dict) else spec
        if not isinstance(spec, dict) or name not in PriorSpec.SUPPORTED_PRIORS:
            supported = " or ".join(PriorSpec.SUPPORTED_PRIORS)
            findings.fault("mcmc.prior", f"{name!r} is no prior", f"give one whose name is {supported}")
            return
    with findings.guard("mcmc.prior", "ESPEI cannot make the prior"):
        # Without values, as many as there are priors: what is wrong with these is seen all the same.
        tried = initial or {f"symbol {n}": 1.0 for n in range(len(prior) if isinstance(prior, list) else 1)}
        built = EmceeOptimizer.get_priors(prior, list(tried), np.array(list(tried.values())))["prior_rvs"]
        for rv, (symbol, value) in zip(built, tried.items(), strict=True):
            if initial and not np.isfinite(rv.logpdf(value)):
                findings.fault(
                    "mcmc.prior",
                    f"gives {symbol} no probability at its starting value {value:g}",
                    "widen or move the prior",
                )


def check_restart_trace(file: Path, symbols: Sequence[str], findings: Findings) -> int | None:
    """Check the trace to start from.

    Returns:
        Its number of walkers, or None where it cannot be used.
    """
    key = "mcmc.restart_trace"
    try:
        trace = np.load(file, mmap_mode="r")  # it may be larger than the memory
    except FileNotFoundError:
        findings.fault(key, f"{file} does not exist")
        return None
    except Exception:
        findings.fault(
            key, f"{file} is not an array that NumPy can read", "name a trace that ESPEI has written"
        )
        return None
    if wrong := _wrong_shape(trace, symbols) or _wrong_values(trace):
        findings.fault(key, f"{file} {wrong}")
        return None
    findings.note(
        f"{key}: ESPEI begins its random numbers anew, so that a chain made of many short restarts is biased"
    )
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
        return "holds no sample"
    if walkers % 2 or walkers < 2 * parameters:
        return (
            f"has {counted(walkers, 'walker')}: the sampler needs an even number, at least {2 * parameters}"
        )
    return ""


def _wrong_values(trace: Any) -> str:
    """Find values that ESPEI cannot start from.

    It takes the last entries that are not 0, which mixes up walkers and
    parameters as soon as one parameter of a real sample is exactly 0.
    """
    done = np.nonzero(trace.any(axis=(0, 2)))[0]
    if done.size == 0:
        return "holds only zeros: no iteration was finished"
    if not np.isfinite(trace).all():
        return "holds numbers that are not finite"
    try:
        walkers = EmceeOptimizer.initialize_chains_from_trace(trace)
        right = np.array_equal(walkers, trace[:, done[-1], :])
    except ValueError:
        right = False
    return (
        ""
        if right
        else (
            "has samples with a parameter of exactly 0, of which ESPEI would make wrong walkers; "
            "start from a trace without, or anew from a database"
        )
    )


def note_overridden(raw: Mapping[str, Any], findings: Findings) -> None:
    """Say what the launcher decides instead of the input."""
    mcmc = raw.get("mcmc")
    given = mcmc if isinstance(mcmc, dict) else {}
    scheduler, cores = given.get("scheduler"), given.get("cores")
    if scheduler == "dask":
        findings.note("mcmc.scheduler: dask is ignored: the fit runs on the cluster's workers")
    elif scheduler is not None:
        findings.note(f"mcmc.scheduler: {scheduler} counts for run-fit alone: espei-mpi uses its own cluster")
    if cores is not None:
        findings.note(f"mcmc.cores: {cores} is ignored: the fit runs on the cluster's workers")
