"""The starting database: it parses, has the phases and symbols, and can be written again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import espei.refdata
from espei.database_utils import initialize_database
from pycalphad import Database

from espei_hpc.faults import Refusal
from espei_hpc.problem.findings import Findings, named, reason
from espei_hpc.problem.phase_models import PhaseModels
from espei_hpc.problem.reading import read_text


def read_database(key: str, file: Path, findings: Findings) -> Database | None:
    """Parse a database file; None where it is at fault."""
    try:
        read_text(file)
        database = Database(str(file))
    except Refusal as refusal:
        for fault in refusal.faults:
            findings.fault(key, str(fault))
        return None
    except Exception as error:
        findings.fault(key, f"pycalphad cannot read {file}: {reason(error)}")
        return None
    if not database.phases:
        findings.fault(key, f"{file} holds no phase: it is empty, or not a thermodynamic database")
        return None
    return database


def initial_database(
    generate: Mapping[str, Any], models: PhaseModels, start: Database | None, findings: Findings
) -> Database | None:
    """Make the database that parameter generation starts from, as ESPEI does."""
    key, ref_state = "generate_parameters.ref_state", str(generate.get("ref_state"))
    if not all(hasattr(espei.refdata, name) for name in (ref_state, ref_state + "Stable")):
        known = sorted(n.removesuffix("Stable") for n in vars(espei.refdata) if n.endswith("Stable"))
        findings.fault(key, f"ESPEI has no reference state {ref_state}", f"it has {named(known)}")
        return None
    needed = {component.upper() for component in models["components"]} | set(start.elements if start else ())
    unknown = needed - {*getattr(espei.refdata, ref_state + "Stable"), "VA"}
    if unknown:
        # An electron gas (/-) in a starting database counts as one, and ESPEI fails on it.
        findings.fault(
            key, f"{ref_state} has no data for {named(unknown)}", "leave it out of components and input_db"
        )
        return None
    with findings.guard(key, "ESPEI cannot build the database to start from"):
        return initialize_database(models, ref_state, start)
    return None


def check_writable_as(output: Path, database: Database | None, findings: Findings) -> None:
    """Check that the fitted database can be written: ESPEI tries only after the whole fit."""
    with findings.guard("output.output_db", f"{output} cannot be written as a database"):
        # As pycalphad: the format is the ending's; without one it has none.
        (Database() if database is None else database).to_string(fmt=output.suffix[1:].lower())
