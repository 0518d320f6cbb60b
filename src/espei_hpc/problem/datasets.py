"""The datasets: each valid for ESPEI, and which of them the fit will use."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from espei.datasets import DatasetError, apply_tags, load_datasets, recursive_glob
from espei.utils import PickleableTinyDB
from tinydb.storages import MemoryStorage

from espei_hpc.faults import Refusal
from espei_hpc.problem.findings import Findings, named, reason
from espei_hpc.problem.reading import parse_json, read_text

Dataset = Mapping[str, Any]

LOWEST_TEMPERATURE = 298.15
"""ESPEI leaves out single-phase data below: the unary functions start here."""
SINGLE_PHASE_OUTPUTS = tuple(f"{prop}_{ref}" for prop in ("HM", "SM", "CPM") for ref in ("FORM", "MIX"))


@dataclass(frozen=True)
class Datasets:
    """The enabled datasets of an input.

    Attributes:
        directory: where they were found.
        by_file: what ESPEI made of each file, tags applied.
        files: every dataset file, the disabled and faulty ones too.
        complete: whether every file could be loaded.
    """

    directory: Path
    by_file: Mapping[Path, Dataset]
    files: tuple[Path, ...]
    complete: bool


def check_datasets(directory: Path, tags: Mapping[str, Any], findings: Findings) -> Datasets | None:
    """Load every dataset below a directory through ESPEI's own checker.

    Returns:
        What could be loaded, or None where there is nothing.
    """
    key = "system.datasets"
    if not directory.is_dir():
        what = "is a file, not a directory" if directory.exists() else "does not exist"
        findings.fault(key, f"{directory} {what}", "name the directory that holds the datasets")
        return None
    files = tuple(Path(name) for name in recursive_glob(str(directory), "*.json"))
    if not files:
        findings.fault(
            key, f"{directory} holds no dataset", "ESPEI looks for files ending in .json in it and below"
        )
        return None
    before = len(findings.faults)
    by_file = {file: dataset for file in files if (dataset := _load(file, tags, findings)) is not None}
    complete = len(findings.faults) == before
    if complete and not by_file:
        findings.fault(key, f"every one of the {len(files)} datasets in {directory} is disabled")
        return None
    _note_unmatched_tags(tags, by_file.values(), findings)
    return Datasets(directory, by_file, files, complete)


def as_database(datasets: Iterable[Dataset]) -> PickleableTinyDB:
    """Put datasets into the form that ESPEI works on."""
    database = PickleableTinyDB(storage=MemoryStorage)
    # ESPEI changes some in place while it builds on them.
    database.insert_multiple(json.loads(json.dumps(dataset)) for dataset in datasets)
    return database


def _load(file: Path, tags: Mapping[str, Any], findings: Findings) -> Dataset | None:
    """Load one file; None where it is disabled or at fault."""
    try:
        _, repeated = parse_json(read_text(file), file)
        loaded = load_datasets([str(file)])
        apply_tags(loaded, tags)
        dataset: Dataset | None = next(
            (dict(item) for item in loaded.all() if item.get("disabled") is not True), None
        )
        if dataset is not None:
            _check_numbers(dataset)
            _check_activity(dataset)
    except Refusal as refusal:
        findings.faults.extend(refusal.faults)
    except KeyError as error:
        findings.fault_in(file, f"the key {error} is missing")
    except (DatasetError, ValueError) as error:
        # ESPEI puts the file's name in front, which stands there already.
        findings.fault_in(
            file,
            reason(error).replace(f"Dataset Error in {file}: ", "").replace(f"JSON Error in {file}: ", ""),
        )
    except Exception as error:
        findings.fault_in(file, f"ESPEI cannot read this dataset: {reason(error)}")
    else:
        for key in repeated:
            findings.note(f"{file}: {key} is given twice: ESPEI takes the last")
        return dataset
    return None


def _check_numbers(dataset: Dataset) -> None:
    """Refuse what would make the likelihood NaN or minus infinity whatever the parameters."""
    for key in ("values", "conditions"):
        if not _finite(dataset[key]):
            raise ValueError(f"{key} hold a number that is not finite")
    weights = np.asarray(dataset.get("weight", 1.0), dtype=float)
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise ValueError(
            f"weight must be above 0, not {dataset['weight']}; to leave the dataset out, set disabled"
        )


def _finite(data: Any) -> bool:
    if isinstance(data, Mapping):
        return all(map(_finite, data.values()))
    if isinstance(data, list):
        return all(map(_finite, data))
    return not isinstance(data, float) or bool(np.isfinite(data))


def _check_activity(dataset: Dataset) -> None:
    """ESPEI reads these only while it evaluates the likelihood, and fails there."""
    if "ACR" in dataset["output"]:
        dataset["reference"]
        dataset["reference_state"]["phases"], dataset["reference_state"]["conditions"]


def _note_unmatched_tags(tags: Mapping[str, Any], datasets: Iterable[Dataset], findings: Findings) -> None:
    used = {tag for dataset in datasets for tag in dataset.get("tags", [])}
    unmatched = sorted(str(tag) for tag in tags if tag not in used)
    if unmatched:
        findings.note(f"system.tags: no dataset has the tag {named(unmatched)}")


@dataclass(frozen=True)
class System:
    """What takes part in the fit: ESPEI leaves out silently all data beyond it.

    Attributes:
        components: as the phase models write them.
        phases: the active phases, each with the constituents of its sublattices.
    """

    components: frozenset[str]
    phases: Mapping[str, tuple[frozenset[str], ...]]


def ignored_because(dataset: Dataset, system: System) -> str:
    """Tell why ESPEI's likelihood leaves a dataset out; empty where it counts.

    This follows the searches of ESPEI's residual functions, which say nothing
    about what they do not find.
    """
    if not set(dataset["components"]) <= system.components:
        return "components beyond the phase models"
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
    # As ESPEI searches: the bare name of a property counts as any of its references.
    if not any(dataset["output"] in known for known in SINGLE_PHASE_OUTPUTS):
        return f"a property that is none of {', '.join(SINGLE_PHASE_OUTPUTS)}"
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
    """Say which datasets are left out, and refuse if none is left to fit to.

    Returns:
        The datasets that count and have no fault.
    """
    used: dict[Path, Dataset] = {}
    ignored: dict[str, list[Path]] = defaultdict(list)
    for file, dataset in datasets.by_file.items():
        try:
            if why := ignored_because(dataset, system):
                ignored[why].append(file)
            elif _tie_lines_are_known(file, dataset, system, findings):
                used[file] = dataset
        except Exception as error:  # a form that even ESPEI's checker lets pass
            findings.fault_in(file, f"ESPEI cannot use this dataset: {reason(error)}")
    reasons = "; ".join(f"{len(files)} with {why} ({named(files, 3)})" for why, files in ignored.items())
    total, left_out = len(datasets.by_file), sum(map(len, ignored.values()))
    if samples and datasets.complete and left_out == total:
        findings.fault(
            "system.datasets",
            f"ESPEI would use none of the {total} datasets in {datasets.directory}, and the likelihood would "
            f"be 0 everywhere: {reasons}",
            f"the phase models have the components {named(system.components)} and the active phases "
            f"{named(system.phases) or '(none)'}",
        )
    elif ignored:
        findings.note(f"system.datasets: ESPEI leaves out {left_out} of {total} datasets: {reasons}")
    return used


def _tie_lines_are_known(file: Path, dataset: Dataset, system: System, findings: Findings) -> bool:
    """ESPEI takes a tie-line's dataset in when any of its phases is active, then needs all of them."""
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
            "add the phase to database and phase models, or disable the dataset",
        )
    return not missing


def check_generates(datasets: Datasets, system: System, findings: Findings) -> None:
    """Refuse a generation that would leave MCMC without a symbol to fit."""
    single_phase = [
        data
        for data in datasets.by_file.values()
        if "solver" in data and set(data["phases"]) <= set(system.phases)
    ]
    if datasets.complete and not single_phase:
        findings.fault(
            "generate_parameters",
            f"{datasets.directory} has no single-phase data for {named(system.phases)}, so that no parameter "
            "would be generated and MCMC would have nothing to fit",
            "add formation or mixing data, or start from an input_db with symbols",
        )
