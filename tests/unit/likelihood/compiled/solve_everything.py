"""Evaluate all systems near and far with the modules of a kernel; print its number of solutions."""

import sys
import tempfile
import warnings
from pathlib import Path

from espei_hpc.likelihood import Evaluator
from unit.likelihood.compiled.building import load
from unit.likelihood.compiled.kernel_cases import compared
from unit.likelihood.likelihood_cases import stock, vectors
from unit.likelihood.systems import SYSTEMS

NEAR_AND_FAR = (0.01, 0.1, 0.1, 0.5, 2.0, 1e3, 1e300)
NUMBER = 6


def main() -> None:
    load(*map(Path, sys.argv[1:]))
    solutions = 0
    with tempfile.TemporaryDirectory() as directory, compared() as record:
        for system in SYSTEMS:
            reference = stock(system.write(Path(directory) / system.name))
            evaluator = Evaluator(reference.recipe.packed())
            for parameters in vectors(reference.initial, NUMBER, seed=21, spreads=NEAR_AND_FAR):
                evaluator(parameters)
        solutions = record.happened["solutions"]
        assert record.differences == []
    print(solutions)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
