"""The phase models: which components and phases take part, and in what form."""

from pathlib import Path
from typing import Any

from espei.phase_models import PhaseModelSpecification
from espei.utils import extract_aliases
from pydantic import ValidationError

from espei_hpc.faults import Refusal
from espei_hpc.problem.findings import Findings
from espei_hpc.problem.reading import parse_json, read_text

PhaseModels = dict[str, Any]

MODULE_CURE = (
    "install its module into this Python: the working directory and PYTHONPATH are not searched, "
    "since every worker needs it too"
)


def check_phase_models(file: Path, findings: Findings) -> PhaseModels | None:
    """Read the phase models and check their form.

    Returns:
        The models as ESPEI reads them, or None where they are at fault.
    """
    try:
        models, repeated = parse_json(read_text(file), file)
    except Refusal as refusal:
        findings.faults.extend(refusal.faults)
        return None
    if not isinstance(models, dict):
        findings.fault_in(file, f"must hold components and phases, not a {type(models).__name__}")
        return None
    before = len(findings.faults)
    for key in repeated:
        findings.fault_in(file, f"{key} is given twice", "keep one: the last would silently win")
    try:
        PhaseModelSpecification.model_validate(models)
    except ValidationError as error:
        for problem in error.errors():
            key = ".".join(map(str, problem["loc"]))
            cure = MODULE_CURE if problem["type"] == "import_error" else ""
            findings.fault_in(f"{file}: {key}" if key else file, _sentence(problem["msg"]), cure)
    else:
        _check_contents(models, file, findings)
    return models if len(findings.faults) == before else None


def _sentence(message: str) -> str:
    return "is missing" if message == "Field required" else message[:1].lower() + message[1:]


def _check_contents(models: PhaseModels, file: Path, findings: Findings) -> None:
    if not models["components"]:
        findings.fault_in(
            f"{file}: components", "is empty", "list the elements, and VA where a sublattice holds it"
        )
    if not models["phases"]:
        findings.fault_in(f"{file}: phases", "is empty", "describe at least one phase")
    for name, phase in models["phases"].items():
        _check_phase(f"{file}: phases.{name}", phase, findings)
    try:
        extract_aliases(models)
    except Exception as error:
        findings.fault_in(f"{file}: phases", str(error))


def _check_phase(where: str, phase: PhaseModels, findings: Findings) -> None:
    sublattices, ratios = phase["sublattice_model"], phase["sublattice_site_ratios"]
    if len(sublattices) != len(ratios):
        findings.fault_in(
            where,
            f"sublattice_model has {len(sublattices)} sublattices, sublattice_site_ratios {len(ratios)}",
        )
    if not sublattices or not all(sublattices):
        findings.fault_in(f"{where}.sublattice_model", "a sublattice is empty")
