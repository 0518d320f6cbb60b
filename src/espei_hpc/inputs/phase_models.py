"""Checking the phase models: the components and phases of the fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from espei.phase_models import PhaseModelSpecification
from espei.utils import extract_aliases
from pydantic import ValidationError

from espei_hpc import user_code
from espei_hpc.errors import Refusal
from espei_hpc.inputs.findings import Findings
from espei_hpc.parsing import parse_json, read_text

PhaseModels = dict[str, Any]


@dataclass(frozen=True)
class CheckedModels:
    """The usable part of a phase models file.

    Attributes:
        sound: the components, and the phases without a fault.
        complete: whether this is the whole file.
    """

    sound: PhaseModels
    complete: bool


def check_phase_models(file: Path, findings: Findings) -> CheckedModels | None:
    """Read the phase models and check their format.

    Returns:
        What ESPEI would read, without the faulty parts; None if not even the components are usable.
    """
    try:
        models, repeated = parse_json(read_text(file), file)
    except Refusal as refusal:
        findings.faults.extend(refusal.faults)
        return None
    if not isinstance(models, dict):
        findings.fault_in(file, f"must be a mapping of components and phases, not a {type(models).__name__}")
        return None
    if {"output", "values"} <= models.keys():
        cure = "name the file with the components and the phases of the fit"
        findings.fault_in(file, "is a dataset, not phase models: it has output and values", cure)
        return None
    before = len(findings.faults)
    for key in repeated:
        findings.fault_in(file, f"duplicate key {key}", "keep one: ESPEI would silently use the last one")
    wrong = _check_form(models, file, findings)
    # A duplicate key is either a phase or a key of a phase; which phase it belongs to is unknown.
    ambiguous = any(key != "components" for key in repeated)
    sound = (
        {} if ambiguous or ("phases",) in wrong else _check_phases(models["phases"], wrong, file, findings)
    )
    if ("components",) in wrong or "components" in repeated:
        return None
    if not models["components"]:
        cure = "list the elements, and VA if a sublattice has it"
        findings.fault_in(f"{file}: components", "is empty", cure)
        return None
    return CheckedModels(models | {"phases": sound}, len(findings.faults) == before)


def _check_form(models: PhaseModels, file: Path, findings: Findings) -> set[tuple[str, ...]]:
    """Check with ESPEI's schema; return the faulty parts: components, phases, or a pair for one phase."""
    try:
        PhaseModelSpecification.model_validate(models)
    except ValidationError as error:
        for problem in error.errors():
            key = ".".join(map(str, problem["loc"]))
            cure = user_code.CURE if problem["type"] == "import_error" else ""
            findings.fault_in(f"{file}: {key}" if key else file, _sentence(problem["msg"]), cure)
        places = [tuple(map(str, problem["loc"])) for problem in error.errors()]
        return {place[: 1 if place[:1] == ("components",) else 2] for place in places}
    return set()


def _sentence(message: str) -> str:
    if message == "Field required":
        return "is missing"
    if message.startswith("Input should be "):
        message = message.replace("Input should be a valid dictionary", "must be a mapping of keys to values")
        return message.replace("Input should be a valid ", "must be a ").replace("Input should be", "must be")
    return message[:1].lower() + message[1:]


def _check_phases(
    phases: Mapping[str, PhaseModels], wrong: set[tuple[str, ...]], file: Path, findings: Findings
) -> PhaseModels:
    """Check what ESPEI's schema does not check; return the phases without a fault."""
    if not phases:
        findings.fault_in(f"{file}: phases", "is empty", "describe at least one phase")
    sound = {}
    for name, phase in phases.items():
        before = len(findings.faults)
        if ("phases", name) not in wrong:
            _check_phase(f"{file}: phases.{name}", phase, findings)
            if len(findings.faults) == before:
                sound[name] = phase
    try:
        extract_aliases({"phases": sound})
    except Exception as error:
        findings.fault_in(f"{file}: phases", str(error))
    return sound


def _check_phase(where: str, phase: PhaseModels, findings: Findings) -> None:
    sublattices, ratios = phase["sublattice_model"], phase["sublattice_site_ratios"]
    if len(sublattices) != len(ratios):
        findings.fault_in(
            where,
            f"sublattice_model has {len(sublattices)} sublattices, sublattice_site_ratios {len(ratios)}",
        )
    if not sublattices or not all(sublattices):
        findings.fault_in(f"{where}.sublattice_model", "a sublattice is empty")
