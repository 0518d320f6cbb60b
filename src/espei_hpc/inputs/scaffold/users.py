"""A project for a user's own database and datasets, which are not copied."""

import os
from pathlib import Path

from espei.utils import database_symbols_to_fit
from pycalphad import Database

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.inputs.database import read_database
from espei_hpc.inputs.datasets import check_datasets
from espei_hpc.inputs.findings import Findings, named
from espei_hpc.inputs.quiet import quiet
from espei_hpc.inputs.scaffold import phase_models
from espei_hpc.text import templates


def contents(directory: Path, database: Path, datasets: Path) -> dict[str, bytes]:
    """Return the contents of the project's files, by name.

    Args:
        directory: the project directory: paths in the input are relative to it.
        database: the database file.
        datasets: the directory of the datasets.

    Raises:
        Refusal: (BAD_INPUT) with all faults of database and datasets.
    """
    findings = Findings(Path("init"))
    with quiet():
        start = read_database("--tdb", database, findings)
        check_datasets(datasets, {}, findings)
    symbols = database_symbols_to_fit(start) if start else []
    if start and not symbols:
        findings.faults.append(_nothing_to_fit(database, start))
    findings.refuse()
    if start is None:
        raise Refusal(ExitCode.BAD_INPUT, findings.faults)
    text = (
        templates("espei_hpc.inputs.scaffold")
        .get_template("mcmc.yaml.j2")
        .render(
            title=database.name,
            database=_seen_from(directory, database),
            datasets=_seen_from(directory, datasets),
            fitted=f"{database.stem}_fitted.tdb",
            symbols=symbols,
        )
    )
    return {"mcmc.yaml": text.encode(), "phase_models.json": phase_models.text(start).encode()}


def _nothing_to_fit(file: Path, database: Database) -> Fault:
    held = named(database.symbols) or "none"
    return Fault(
        f"init: --tdb: {file}",
        "has nothing to fit: ESPEI fits symbols named V or VV and a number, such as VV0001; its symbols are: "
        f"{held}",
        "generate such a database from single-phase data first, with generate_parameters (see the "
        "generate.yaml of espei-hpc init), or replace the numbers to fit by symbols, defined with FUNCTION "
        "VV0001 and so on",
    )


def _seen_from(directory: Path, path: Path) -> str:
    return os.path.relpath(path.resolve(), directory.resolve())
