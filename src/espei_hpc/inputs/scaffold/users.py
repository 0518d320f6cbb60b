"""A project around a user's own database and datasets, which stay where they are."""

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
    """Return the contents of the project's files by their names.

    Args:
        directory: where they will be: the input names database and datasets from there.
        database: file with the database.
        datasets: directory with the datasets.

    Raises:
        Refusal: (BAD_INPUT) with all that is wrong with database and datasets.
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
        "has nothing to fit: ESPEI fits the symbols named V or VV and a number, such as VV0001, and it has "
        f"{held}",
        "let ESPEI make such a database from single-phase data first, with generate_parameters (the "
        "generate.yaml of espei-hpc init shows it), or put FUNCTION VV0001 and so on where it has the "
        "numbers to be fitted",
    )


def _seen_from(directory: Path, path: Path) -> str:
    return os.path.relpath(path.resolve(), directory.resolve())
