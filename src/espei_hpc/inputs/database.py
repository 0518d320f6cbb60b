"""Checking the starting database: it can be parsed, has phases, and can be written."""

import os
from collections.abc import Iterable
from pathlib import Path

import espei.refdata
from espei.database_utils import initialize_database
from pycalphad import Database

from espei_hpc.errors import Refusal, reason
from espei_hpc.inputs.findings import Findings, named
from espei_hpc.inputs.phase_models import PhaseModels
from espei_hpc.parsing import read_text, unreadable

REFERENCE_STATE = "generate_parameters.ref_state"


def read_database(key: str, file: Path, findings: Findings) -> Database | None:
    """Parse a database file; None if it is faulty."""
    try:
        text = read_text(file)
        database = Database(str(file))
    except Refusal as refusal:
        for fault in refusal.faults:
            findings.fault(key, str(fault))
        return None
    except Exception as error:
        findings.fault(
            key, f"pycalphad cannot read {file}: {unreadable(text) or reason(error)}", _format(file)
        )
        return None
    if not database.phases:
        findings.fault(key, f"{file} has no phase: it is empty, or not a thermodynamic database")
        return None
    return database


def _format(file: Path) -> str:
    """Return what to do with a file that pycalphad takes for TDB although its name says otherwise."""
    ending = os.path.splitext(file)[1][1:].lower()
    try:
        Database.from_string("", fmt=ending or "tdb")
    except NotImplementedError:
        return f"pycalphad has no reader for .{ending}, and took the file for TDB: convert it to TDB"
    except Exception:  # of a reader that there is, about the empty text
        return ""
    return ""


def check_reference_state(
    ref_state: str, components: Iterable[str], start: Database | None, findings: Findings
) -> bool:
    """Check that ESPEI has data for the elements that parameter generation needs, if they are known.

    Args:
        ref_state: the reference state that the input names.
        components: the components of the phase models.
        start: the database to start from, if there is one.
        findings: collects the faults.
    """
    key = REFERENCE_STATE
    if not all(hasattr(espei.refdata, name) for name in (ref_state, ref_state + "Stable")):
        known = sorted(n.removesuffix("Stable") for n in vars(espei.refdata) if n.endswith("Stable"))
        findings.fault(key, f"ESPEI has no reference state {ref_state}", f"it has {named(known)}")
        return False
    needed = {component.upper() for component in components} | set(start.elements if start else ())
    unknown = needed - {*getattr(espei.refdata, ref_state + "Stable"), "VA"}
    if unknown:
        # An electron gas (/-) in a starting database counts as an element, and ESPEI fails on it.
        findings.fault(
            key, f"{ref_state} has no data for {named(unknown)}", "remove it from components and input_db"
        )
        return False
    return True


def initial_database(
    ref_state: str, models: PhaseModels, start: Database | None, findings: Findings
) -> Database | None:
    """Create the database that parameter generation starts from, as ESPEI does."""
    with findings.guard(REFERENCE_STATE, "ESPEI cannot build the database to start from"):
        return initialize_database(models, ref_state, start)
    return None


def check_writable_as(output: Path, database: Database | None, findings: Findings) -> None:
    """Check that the fitted database can be written: ESPEI tries only after the whole fit."""
    with findings.guard("output.output_db", f"cannot write {output} as a database"):
        # As in pycalphad: the ending gives the format; without an ending there is none.
        (Database() if database is None else database).to_string(fmt=output.suffix[1:].lower())
