"""One measurement of one likelihood: python likelihood_once.py DIRECTORY WHAT NUMBER.

Prints one line of JSON. WHAT is ``compared`` to evaluate all ways in turn, or ``stock`` or ``prepared`` to
evaluate so often that way, in a process that has evaluated nothing before.
"""

import json
import os
import pickle
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from espei_hpc.fit.opening import VERIFY
from espei_hpc.likelihood import (
    WARM_UP,
    Evaluated,
    Evaluator,
    LikelihoodError,
    LikelihoodRecipe,
    combine,
    compiled,
)
from likelihoods import RECIPE, WALKERS, FloatArray, position
from unit.likelihood.likelihood_cases import TRUSTING

VERIFIES = {"stock": 0, "prepared": VERIFY}
FEWEST, MOST = 8, 60
"""Evaluations that are compared."""
SECONDS = 10.0
"""CPU time after which no more are than the fewest."""

Row = dict[str, Any]


class Timed:
    """An evaluator that counts CPU time.

    Args:
        recipe: what to evaluate.
        verify: one in how many evaluations is compared in there; 0 for ESPEI's own functions.
        kernel: whether plans use the compiled kernel.

    Attributes:
        description: the likelihood's.
        built: CPU seconds until there was something to evaluate.
        seconds: CPU seconds of each evaluation.
        left: units that are left to ESPEI's own functions, and why.
    """

    def __init__(self, recipe: LikelihoodRecipe, verify: int, *, kernel: bool = True) -> None:
        self._kernel = kernel
        begin = time.process_time()
        self._evaluator = Evaluator(replace(recipe, verify=verify).packed())
        self.built = time.process_time() - begin
        self.description = self._evaluator.description
        self.seconds: list[float] = []
        self.left: list[tuple[str, str]] = []

    def __call__(self, parameters: FloatArray) -> str:
        """Return the log-probability, all its digits, or the exception instead."""
        os.environ[compiled.SWITCH] = "yes" if self._kernel else compiled.OFF[0]
        compiled.missing.cache_clear()
        begin = time.process_time()
        evaluated = self._evaluator(parameters)
        told = self._told(evaluated)
        self.seconds.append(time.process_time() - begin)
        self.left += evaluated.notes
        return told

    def _told(self, evaluated: Evaluated) -> str:
        try:
            return float(combine(self.description, [evaluated])).hex()
        except LikelihoodError as error:
            return error.error


def compared(recipe: LikelihoodRecipe, walkers: FloatArray) -> Row:
    """Evaluate all ways at the same positions; what takes the plans' first comparisons is not counted.

    Raises:
        RuntimeError: if the results differ in a single bit, or there is no kernel.
    """
    if reason := compiled.missing():
        raise RuntimeError(f"no compiled kernel: {reason}")
    ways = {
        "stock": Timed(recipe, 0),
        "prepared": Timed(recipe, TRUSTING, kernel=False),
        "kernel": Timed(recipe, TRUSTING),
    }
    stock = ways["stock"]
    number = 0
    while number < WARM_UP + FEWEST or (number < WARM_UP + MOST and sum(stock.seconds[WARM_UP:]) < SECONDS):
        parameters = position(walkers, number)
        told = {name: way(parameters) for name, way in ways.items()}
        if len(set(told.values())) > 1:
            raise RuntimeError(f"at position {number}: {told}")
        number += 1
    seconds = {name: round(float(np.mean(way.seconds[WARM_UP:])), 6) for name, way in ways.items()}
    return {
        "symbols": walkers.shape[1],
        "units": len(stock.description.units),
        "left": ways["kernel"].left,
        "evaluations": number - WARM_UP,
        **seconds,
    }


def alone(recipe: LikelihoodRecipe, walkers: FloatArray, verify: int, evaluations: int) -> Row:
    """Evaluate one way; return CPU seconds of the first, and the process' memory in MB after each."""
    timed = Timed(recipe, verify)
    process = psutil.Process()
    sizes = []
    for number in range(evaluations):
        timed(position(walkers, number))
        sizes.append(round(process.memory_info().rss / 1e6, 2))
    return {"built": round(timed.built, 3), "first": round(timed.seconds[0], 4), "megabytes": sizes}


def main(directory: Path, what: str, evaluations: int) -> None:
    """Measure and print what came out."""
    recipe: LikelihoodRecipe = pickle.loads((directory / RECIPE).read_bytes())
    walkers = np.array(json.loads((directory / WALKERS).read_text()))
    if what in VERIFIES:
        row = alone(recipe, walkers, VERIFIES[what], evaluations)
    else:
        row = compared(recipe, walkers)
    print(json.dumps(row))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
