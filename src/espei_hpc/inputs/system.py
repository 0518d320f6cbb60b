"""The active components and phases of the fit, and the datasets that ESPEI silently ignores."""

import difflib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pycalphad import Database
from pycalphad.core.utils import filter_phases, unpack_species

from espei_hpc.errors import reason
from espei_hpc.inputs.datasets import Dataset, Datasets
from espei_hpc.inputs.findings import Findings, named
from espei_hpc.inputs.phase_models import PhaseModels

LOWEST_TEMPERATURE = 298.15
"""ESPEI ignores single-phase data below this: the unary functions start here."""
ELECTRON_GAS = "/-"
SINGLE_PHASE_OUTPUTS = tuple(f"{prop}_{ref}" for prop in ("HM", "SM", "CPM") for ref in ("FORM", "MIX"))


@dataclass(frozen=True)
class System:
    """The components and phases of the fit: ESPEI silently ignores data with others.

    Attributes:
        components: the components, as spelled in the phase models.
        phases: the active phases, each with the constituents of its sublattices.
    """

    components: frozenset[str]
    phases: Mapping[str, tuple[frozenset[str], ...]]


def describe_system(components: Sequence[str], database: Database, findings: Findings) -> System | None:
    """Find the active phases with the filter that ESPEI's residual functions use."""
    with findings.guard("system.phase_models"):
        species = unpack_species(database, components)
        active = sorted(filter_phases(database, species, database.phases.keys()))
        return System(
            frozenset(components),
            {
                name: tuple(
                    frozenset(constituent.name for constituent in sublattice & species)
                    for sublattice in database.phases[name].constituents
                )
                for name in active
            },
        )
    return None


def check_phases(
    models: PhaseModels, file: Path, database: Database, system: System, findings: Findings
) -> None:
    """Check that the database has the phases of the phase models; ESPEI does not check this."""
    lacking: dict[str, set[str]] = {}
    for name, phase in models["phases"].items():
        sublattices = [set(sublattice) for sublattice in phase["sublattice_model"]]
        beyond = set().union(*sublattices) - system.components
        can_take_part = all(system.components & sublattice for sublattice in sublattices)
        if name not in database.phases and can_take_part:
            close = difflib.get_close_matches(name.upper(), list(database.phases), n=1)
            findings.fault(
                "system.phase_models",
                f"the starting database has no phase {name}, which {file} names: it has "
                f"{named(database.phases)}",
                f"did you mean {close[0]}?" if close else "add it, or remove it from the phase models",
            )
        elif name not in system.phases and beyond:
            lacking[name] = beyond
    if lacking:
        findings.note(
            f"system.phase_models: not active: {named(lacking)}: the components in {file} "
            f"do not include {named(set().union(*lacking.values()))}"
        )


def ignored_because(dataset: Dataset, system: System) -> str:
    """Return why ESPEI's likelihood ignores a dataset; empty if it is used.

    This follows the searches of ESPEI's residual functions, which do not report
    what they ignore.
    """
    if not set(dataset["components"]) <= system.components:
        return "components that are not in the phase models"
    output, phases = dataset["output"], set(dataset["phases"])
    if output == "ZPF":
        return "" if phases & system.phases.keys() else "no active phase"
    if "ACR" in output:
        return ""
    if "solver" in dataset:
        return _single_phase_ignored_because(dataset, system)
    if "DIFF" in output or "TRACER" in output:
        return "diffusion data"
    return "" if phases <= system.phases.keys() else "phases that are not active"


def _single_phase_ignored_because(dataset: Dataset, system: System) -> str:
    # As in ESPEI's search: the bare name of a property matches all its reference states.
    if not any(dataset["output"] in known for known in SINGLE_PHASE_OUTPUTS):
        return f"a property other than {', '.join(SINGLE_PHASE_OUTPUTS)}"
    if len(dataset["phases"]) != 1 or dataset["phases"][0] not in system.phases:
        return "phases that are not active"
    sublattices = system.phases[dataset["phases"][0]]
    if not any(_fits(config, sublattices) for config in dataset["solver"]["sublattice_configurations"]):
        return "sublattice configurations that the phase does not have"
    if np.max(dataset["conditions"]["T"]) < LOWEST_TEMPERATURE:
        return f"temperatures below {LOWEST_TEMPERATURE} K"
    return ""


def _fits(configuration: list[Any], sublattices: tuple[frozenset[str], ...]) -> bool:
    return len(configuration) == len(sublattices) and all(
        set(held if isinstance(held, list) else [held]) <= sublattice
        for held, sublattice in zip(configuration, sublattices, strict=True)
    )


def check_used(datasets: Datasets, system: System, samples: bool, findings: Findings) -> dict[Path, Dataset]:
    """Note which datasets are ignored, and refuse if no dataset remains.

    Returns:
        The datasets that are used and have no fault.
    """
    used: dict[Path, Dataset] = {}
    ignored: dict[str, list[Path]] = defaultdict(list)
    for file, dataset in datasets.by_file.items():
        try:
            if why := ignored_because(dataset, system):
                ignored[why].append(file)
            elif _tie_lines_are_known(file, dataset, system, findings):
                used[file] = dataset
        except Exception as error:  # a fault that ESPEI's own checks do not find
            findings.fault_in(file, f"ESPEI cannot use this dataset: {reason(error)}")
    reasons = "; ".join(f"{len(files)} with {why} ({named(files, 3)})" for why, files in ignored.items())
    total, left_out = len(datasets.by_file), sum(map(len, ignored.values()))
    if samples and datasets.complete and left_out == total:
        findings.fault(
            "system.datasets",
            f"ESPEI would use none of the {total} datasets in {datasets.directory}, and the likelihood would "
            f"be 0 everywhere: {reasons}",
            f"the phase models have the components {named(system.components)}, and the active phases are "
            f"{named(system.phases) or '(none)'}",
        )
    elif ignored:
        findings.note(f"system.datasets: ESPEI ignores {left_out} of {total} datasets: {reasons}")
    return used


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
            "add the phase to the database and the phase models, or disable the dataset",
        )
    return not missing


def check_generates(datasets: Datasets, system: System, findings: Findings) -> None:
    """Refuse a parameter generation that gives MCMC no symbol to fit."""
    single_phase = [
        data
        for data in datasets.by_file.values()
        if "solver" in data and set(data["phases"]) <= set(system.phases)
    ]
    if datasets.complete and not single_phase:
        findings.fault(
            "generate_parameters",
            f"{datasets.directory} has no single-phase data for {named(system.phases)}: ESPEI would generate "
            "no parameter, and MCMC would have nothing to fit",
            "add formation or mixing data, or start from an input_db with symbols",
        )
