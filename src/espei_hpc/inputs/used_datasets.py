"""Which datasets ESPEI uses, and which it silently ignores."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pycalphad import Database

from espei_hpc.errors import reason
from espei_hpc.inputs.datasets import Dataset, Datasets
from espei_hpc.inputs.findings import Findings, named
from espei_hpc.inputs.system import ELECTRON_GAS, System, describe_system

LOWEST_TEMPERATURE = 298.15
"""ESPEI ignores single-phase data below this: the unary functions start here."""
SINGLE_PHASE_OUTPUTS = tuple(f"{prop}_{ref}" for prop in ("HM", "SM", "CPM") for ref in ("FORM", "MIX"))

ONLY_GENERATING = "only to generate parameters, not in the likelihood,"


def ignored_because(dataset: Dataset, system: System, generating: Collection[str] = ()) -> str:
    """Return why ESPEI's likelihood ignores a dataset; empty if it is used.

    This follows the searches of ESPEI's residual functions, which do not report
    what they ignore.

    Args:
        dataset: the dataset.
        system: the components and active phases.
        generating: properties whose data are used, too: those from which parameters are generated.
    """
    if beyond := set(dataset["components"]) - system.components:
        return other_case(beyond, system.components) or "components that are not in the phase models"
    output, phases = dataset["output"], set(dataset["phases"])
    if output == "ZPF":
        return "" if phases & system.phases.keys() else _inactive(phases, system, "no active phase")
    if "ACR" in output:
        return ""
    if "solver" in dataset:
        return _single_phase_ignored_because(dataset, system, generating)
    if "DIFF" in output or "TRACER" in output:
        return "diffusion data"
    return "" if phases <= system.phases.keys() else _inactive(phases, system)


def _single_phase_ignored_because(dataset: Dataset, system: System, generating: Collection[str]) -> str:
    # As in ESPEI's search: the bare name of a property matches all its reference states.
    output = dataset["output"]
    if output not in generating and not any(output in known for known in SINGLE_PHASE_OUTPUTS):
        return f"a property other than {', '.join(SINGLE_PHASE_OUTPUTS)}"
    if len(dataset["phases"]) != 1 or dataset["phases"][0] not in system.phases:
        return _inactive(dataset["phases"], system)
    sublattices = system.phases[dataset["phases"][0]]
    if not any(_fits(config, sublattices) for config in dataset["solver"]["sublattice_configurations"]):
        return "sublattice configurations that the phase does not have"
    if np.max(dataset["conditions"]["T"]) < LOWEST_TEMPERATURE:
        return f"temperatures below {LOWEST_TEMPERATURE} K"
    return ""


def _not_in_likelihood_because(dataset: Dataset, system: System, generating: Collection[str]) -> str:
    why = ignored_because(dataset, system)
    used_before = why and generating and not ignored_because(dataset, system, generating)
    return ONLY_GENERATING if used_before else why


def _inactive(phases: Iterable[str], system: System, otherwise: str = "phases that are not active") -> str:
    return other_case(set(phases) - system.phases.keys(), system.phases) or otherwise


def other_case(names: Iterable[str], known: Iterable[str]) -> str:
    """Return which names differ from known ones in upper and lower case only, to ESPEI other names."""
    spelled = {name.upper(): name for name in known}
    pairs = {name: spelled[name.upper()] for name in sorted(map(str, names)) if name.upper() in spelled}
    words = ", ".join(f"{name} and {right}" for name, right in pairs.items())
    return f"names that differ in upper and lower case, other names to ESPEI ({words})" if pairs else ""


def _fits(configuration: list[Any], sublattices: tuple[frozenset[str], ...]) -> bool:
    return len(configuration) == len(sublattices) and all(
        set(held if isinstance(held, list) else [held]) <= sublattice
        for held, sublattice in zip(configuration, sublattices, strict=True)
    )


def check_used(
    datasets: Datasets, system: System, samples: bool, generating: Collection[str], findings: Findings
) -> dict[Path, Dataset]:
    """Note which datasets are ignored, and refuse if no dataset remains.

    Args:
        datasets: the enabled datasets.
        system: the components and active phases.
        samples: whether MCMC runs.
        generating: properties from whose data parameters are generated.
        findings: collects faults and notes.

    Returns:
        The datasets that the likelihood uses and that have no fault.
    """
    used: dict[Path, Dataset] = {}
    ignored: dict[str, list[Path]] = defaultdict(list)
    for file, dataset in datasets.by_file.items():
        try:
            if why := _not_in_likelihood_because(dataset, system, generating):
                ignored[why].append(file)
            elif _tie_lines_are_known(file, dataset, system, findings):
                used[file] = dataset
        except Exception as error:  # a fault that ESPEI's own checks do not find
            findings.fault_in(file, f"ESPEI cannot use this dataset: {reason(error)}")
    only_generating = ignored.pop(ONLY_GENERATING, [])
    _note_partly_used(used, only_generating if samples else [], findings)
    reasons = "; ".join(f"{len(files)} with {why} ({named(files, 3)})" for why, files in ignored.items())
    total, left_out = len(datasets.by_file), sum(map(len, ignored.values()))
    if samples and datasets.complete and left_out + len(only_generating) == total:
        findings.fault(
            "system.datasets",
            f"ESPEI would use none of the {total} datasets in {datasets.directory}, and the likelihood would "
            f"be 0 everywhere: {reasons or 'they are used only to generate parameters'}",
            f"the phase models have the components {named(system.components)}, and the active phases are "
            f"{named(system.phases) or '(none)'}",
        )
    elif ignored:
        findings.note(f"system.datasets: ESPEI ignores {left_out} of {total} datasets: {reasons}")
    return used


def _note_partly_used(used: Mapping[Path, Dataset], only_generating: list[Path], findings: Findings) -> None:
    if cold := [file for file, dataset in used.items() if _has_cold_values(dataset)]:
        findings.note(
            f"system.datasets: ESPEI ignores values below {LOWEST_TEMPERATURE} K in {named(cold, 3)}"
        )
    if only_generating:
        findings.note(f"system.datasets: {ONLY_GENERATING} ESPEI uses {named(only_generating, 3)}")


def _has_cold_values(dataset: Dataset) -> bool:
    return "solver" in dataset and bool(np.min(dataset["conditions"]["T"]) < LOWEST_TEMPERATURE)


def check_tie_lines(datasets: Datasets, database: Database, findings: Findings) -> None:
    """Check the tie-lines only, for unreadable phase models: any phase may then be active."""
    widest = describe_system(sorted(set(database.elements) - {ELECTRON_GAS}), database, findings)
    if widest is None:
        return
    for file, dataset in datasets.by_file.items():
        with findings.guard("system.datasets", f"ESPEI cannot use {file}"):
            _tie_lines_are_known(file, dataset, widest, findings)


def _tie_lines_are_known(file: Path, dataset: Dataset, system: System, findings: Findings) -> bool:
    """Check tie-lines: ESPEI uses a dataset if any of its phases is active, and then needs all of them."""
    if dataset["output"] != "ZPF":
        return True
    phases = {vertex[0] for region in dataset["values"] for vertex in region}
    missing = sorted(
        name for name in phases if name not in system.phases and name.upper() != "__HYPERPLANE__"
    )
    if missing:
        findings.fault_in(
            file,
            f"has tie-lines with {named(missing)}, not among the active phases {named(system.phases)}",
            "use the same upper and lower case"
            if other_case(missing, system.phases)
            else "add the phase to the database and the phase models, or disable the dataset",
        )
    return not missing
