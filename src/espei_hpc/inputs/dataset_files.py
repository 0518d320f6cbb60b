"""The dataset files of an input: those that ESPEI finds, except our own."""

from pathlib import Path

from espei.datasets import recursive_glob

from espei_hpc.own_files import without_own

DATASETS = "*.json"


def dataset_files(directory: Path | str, pattern: str = DATASETS) -> list[str]:
    """Return the dataset files below a directory, in ESPEI's order.

    Has the arguments of ESPEI's ``recursive_glob``, which it replaces in a fit.
    """
    return without_own(recursive_glob(str(directory), pattern), directory)
