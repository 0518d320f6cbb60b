"""Walkers whose log-probability is minus infinity: ESPEI goes on with them without a word."""

from collections.abc import Sequence

import numpy as np

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.sampler import FloatArray
from espei_hpc.text import counted

MOST_NAMED = 6


def refuse_impossible(starting: FloatArray) -> None:
    """Refuse a chain that cannot begin: no walker can be compared with another.

    Args:
        starting: log-probabilities of the starting walkers, shape (walkers,).

    Raises:
        Refusal: (BAD_INPUT) if all of them are minus infinity.
    """
    if starting.size and np.isneginf(starting).all():
        what = f"the log-probability of all {counted(starting.size, 'starting walker')} is minus infinity"
        cure = "espei-hpc check names the datasets or the prior that exclude them; start from other values"
        raise Refusal(ExitCode.BAD_INPUT, [Fault("fit", what, cure)])


def stuck(last: FloatArray, outside: Sequence[int]) -> list[str]:
    """Return a line about walkers that still have minus infinity; none if there are no such walkers.

    Args:
        last: log-probabilities of the walkers, shape (walkers,).
        outside: numbers of the walkers that started outside a prior, counted from 1.
    """
    numbers = [int(number) + 1 for number in np.flatnonzero(np.isneginf(last))]
    if not numbers:
        return []
    names = ", ".join(map(str, numbers[:MOST_NAMED])) + (" …" if len(numbers) > MOST_NAMED else "")
    why = (
        "they started outside the prior (mcmc.prior)"
        if set(numbers) <= set(outside)
        else "the prior or the data exclude where they are"
    )
    return [
        f"warning          {len(numbers)} of {counted(last.size, 'walker')} ({names}) never had a finite "
        f"log-probability: {why}; they are no samples"
    ]
