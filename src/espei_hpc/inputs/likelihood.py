"""Checking that ESPEI can build its likelihood."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from espei.error_functions.context import setup_context
from pycalphad import Database

from espei_hpc.errors import reason
from espei_hpc.inputs.datasets import Dataset, as_database
from espei_hpc.inputs.findings import Findings
from espei_hpc.inputs.phase_models import PhaseModels


def check_builds(
    database: Database,
    datasets: Mapping[Path, Dataset],
    models: PhaseModels,
    symbols: Sequence[str],
    findings: Findings,
) -> None:
    """Let ESPEI build its likelihood; if that fails, find the datasets that cause it."""
    if (error := _build_error(database, datasets.values(), models, symbols)) is None:
        return
    alone = {file: _build_error(database, [dataset], models, symbols) for file, dataset in datasets.items()}
    blamed = {file: failure for file, failure in alone.items() if failure is not None}
    if not blamed or _build_error(database, [], models, symbols) is not None:  # no single dataset causes it
        findings.fault("mcmc", f"ESPEI cannot build its likelihood: {reason(error)}")
        return
    for file, failure in blamed.items():
        cure = "neither the dataset nor the database has it" if isinstance(failure, KeyError) else ""
        findings.fault_in(file, f"ESPEI cannot build its likelihood: {reason(failure)}", cure)


def _build_error(
    database: Database, datasets: Iterable[Dataset], models: PhaseModels, symbols: Sequence[str]
) -> Exception | None:
    try:
        setup_context(database, as_database(datasets), list(symbols), phase_models=models)
    except Exception as error:
        return error
    return None
