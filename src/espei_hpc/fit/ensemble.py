"""Whether an ensemble has enough walkers for its move."""

import math

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.inputs import Problem
from espei_hpc.sampler.moves import LAPLACE, MOVES, STRETCH, least_walkers
from espei_hpc.text import counted


def check_walkers(problem: Problem, sampler: str, walkers: int, parameters: int) -> str | None:
    """Refuse an ensemble that is too small for its sampler.

    Args:
        problem: the input.
        sampler: name of the move.
        walkers: number of walkers.
        parameters: number of symbols.

    Returns:
        A line of advice if the ensemble is small, else None.

    Raises:
        Refusal: (BAD_INPUT) if a half has too few walkers for a proposal of the other half.
    """
    least = least_walkers(MOVES[sampler])
    if walkers < least:
        what = f"--sampler {sampler} needs at least {least} walkers, and there are {walkers}"
        cure = f"{_more(problem, least, parameters)}, or leave out --sampler {sampler}"
        raise Refusal(ExitCode.BAD_INPUT, [Fault(f"{problem.path}: mcmc", what, cure)])
    # The stretch move has one direction for each partner, and ESPEI asks for enough of these.
    # Around the best fit most proposals need no partner.
    if sampler in (STRETCH, LAPLACE) or walkers // 2 > parameters:
        return None
    return (
        f"--sampler {sampler}: {walkers} walkers are few for {counted(parameters, 'symbol')}: the "
        f"differences within half of them span only {counted(walkers // 2 - 1, 'direction')}; "
        f"{_more(problem, 2 * parameters + 2, parameters)}"
    )


def _more(problem: Problem, walkers: int, parameters: int) -> str:
    """Return how to get at least so many walkers."""
    if "restart_trace" in problem.settings["mcmc"]:
        return f"use a restart trace of at least {walkers} walkers"
    # ESPEI takes even numbers only.
    return f"set mcmc.chains_per_parameter: {2 * math.ceil(walkers / (2 * parameters))}"
