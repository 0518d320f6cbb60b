"""The starting database: it parses, has the phases and symbols, and can be written again."""

import difflib
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


def check_phases(models: PhaseModels, file: Path, database: Database, findings: Findings) -> None:
    """Check that the database has the phases of the phase models."""
    components, inactive = set(models["components"]), []
    for name, phase in models["phases"].items():
        if not all(components & set(sublattice) for sublattice in phase["sublattice_model"]):
            inactive.append(name)
        elif name not in database.phases:
            close = difflib.get_close_matches(name.upper(), list(database.phases), n=1)
            findings.fault(
                "system.phase_models",
                f"the starting database lacks {name} of {file}: it has {named(database.phases)}",
                f"did you mean {close[0]}?" if close else "add it there, or take it out of the phase models",
            )
    if inactive:
        needed = {
            c for name in inactive for sl in models["phases"][name]["sublattice_model"] for c in sl
        } - components
        findings.note(
            f"system.phase_models: {named(inactive)} cannot take part: the components in {file} "
            f"lack {named(needed)}"
        )


def check_writable_as(output: Path, database: Database | None, findings: Findings) -> None:
    """Check that the fitted database can be written: ESPEI tries only after the whole fit."""
    with findings.guard("output.output_db", f"{output} cannot be written as a database"):
        # As pycalphad: the format is the ending's; without one it has none.
        (Database() if database is None else database).to_string(fmt=output.suffix[1:].lower())
