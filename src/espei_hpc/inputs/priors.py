"""The priors: that ESPEI can build them, and which walkers they exclude."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from espei.optimizers.opt_mcmc import EmceeOptimizer
from espei.priors import PriorSpec

from espei_hpc.inputs.findings import Findings, named
from espei_hpc.inputs.settings import Settings
from espei_hpc.inputs.walkers import Walkers
from espei_hpc.text import counted


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
