"""Checking that each dataset is valid for ESPEI."""

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from espei.core_utils import filter_temperatures
from espei.datasets import DatasetError, apply_tags, load_datasets
from espei.utils import PickleableTinyDB
from tinydb.storages import MemoryStorage

from espei_hpc.errors import Refusal, reason
from espei_hpc.inputs.dataset_files import dataset_files
from espei_hpc.inputs.dataset_notes import note_duplicates, note_unread
from espei_hpc.inputs.findings import Findings, named
from espei_hpc.parsing import parse_json, read_text, unexpanded

Dataset = Mapping[str, Any]


@dataclass(frozen=True)
class Datasets:
    """The enabled datasets of an input.

    Attributes:
        directory: their directory.
        by_file: the dataset that ESPEI loaded from each file, with tags applied.
        files: all dataset files, including the disabled and faulty ones.
        complete: whether every file could be loaded.
    """

    directory: Path
    by_file: Mapping[Path, Dataset]
    files: tuple[Path, ...]
    complete: bool


def check_datasets(directory: Path, tags: Mapping[str, Any], findings: Findings) -> Datasets | None:
    """Load every dataset below a directory with ESPEI's own checks.

    Returns:
        The datasets that could be loaded, or None if there are none.
    """
    key = "system.datasets"
    if not directory.is_dir():
        what = "is a file, not a directory" if directory.exists() else "does not exist"
        findings.fault(
            key, f"{directory} {what}", unexpanded(directory) or "specify the directory of the datasets"
        )
        return None
    files = tuple(Path(name) for name in dataset_files(directory))
    if not files:
        findings.fault(
            key, f"no datasets in {directory}", "ESPEI reads the files *.json in it and its subdirectories"
        )
        return None
    for tag in [tag for tag, update in tags.items() if not isinstance(update, dict)]:
        findings.fault(f"system.tags.{tag}", "must be a mapping: the keys to set in datasets with this tag")
    tags = {tag: update for tag, update in tags.items() if isinstance(update, dict)}
    before = len(findings.faults)
    by_file = {file: dataset for file in files if (dataset := _load(file, tags, findings)) is not None}
    complete = len(findings.faults) == before
    if complete and not by_file:
        findings.fault(key, f"all {len(files)} datasets in {directory} are disabled")
        return None
    if complete:
        _note_unmatched_tags(tags, by_file.values(), findings)
    note_duplicates(by_file, findings)
    note_unread(directory, files, findings)
    return Datasets(directory, by_file, files, complete)


def as_database(datasets: Iterable[Dataset]) -> PickleableTinyDB:
    """Convert datasets to the database that ESPEI works on."""
    database = PickleableTinyDB(storage=MemoryStorage)
    # Copied, because ESPEI changes some of them in place.
    database.insert_multiple(json.loads(json.dumps(dataset)) for dataset in datasets)
    return database


def _load(file: Path, tags: Mapping[str, Any], findings: Findings) -> Dataset | None:
    """Load one file; None if it is disabled or faulty."""
    try:
        dataset, repeated = _loaded(file, tags)
    except Refusal as refusal:
        findings.faults.extend(refusal.faults)
    except KeyError as error:
        findings.fault_in(file, f"the key {error} is missing", _other_kind(file))
    except (DatasetError, ValueError) as error:
        # ESPEI puts the file's name in front, which our message already has.
        text = (
            reason(error).removeprefix(f"Dataset Error in {file}: ").removeprefix(f"JSON Error in {file}: ")
        )
        findings.fault_in(file, text, _solver_is_wrong(file))
    except Exception as error:
        findings.fault_in(file, f"ESPEI cannot read this dataset: {reason(error)}")
    else:
        for key in repeated:
            findings.note(f"{file}: duplicate key {key}: ESPEI uses the last one")
        return dataset
    return None


def _other_kind(file: Path) -> str:
    """Return what to do with a file of the datasets' directory that is meant for something else."""
    content = json.loads(file.read_text())
    if (
        isinstance(content, dict)
        and {"components", "phases"} <= content.keys()
        and isinstance(content["phases"], dict)
    ):
        return "these are phase models, not a dataset: move the file out of the directory of the datasets"
    return ""


def _solver_is_wrong(file: Path) -> str:
    """Return what to do with data that ESPEI takes for single-phase data, because of their key solver."""
    content = json.loads(file.read_text())
    output = str(content.get("output", "")) if isinstance(content, dict) else ""
    if output and "solver" in content and (output == "ZPF" or "ACR" in output):
        return (
            f"remove the key solver, with which ESPEI takes the dataset for single-phase data, not {output}"
        )
    return ""


def _loaded(file: Path, tags: Mapping[str, Any]) -> tuple[Dataset | None, list[str]]:
    """Return the dataset that ESPEI loads from one file (None if disabled), and its duplicate keys.

    Raises:
        Exception: any exception of ESPEI, and one for each fault that ESPEI would find only later.
    """
    data, repeated = parse_json(read_text(file), file)
    if not isinstance(data, dict):
        raise DatasetError(f"must be a mapping of keys to values, not a {type(data).__name__}")
    loaded = load_datasets([str(file)])
    apply_tags(loaded, tags)
    for dataset in loaded.all():
        if dataset.get("disabled") is not True:
            _check_numbers(dataset)
            _check_sources(dataset)
            return dict(dataset), repeated
    return None, repeated


def _check_numbers(dataset: Dataset) -> None:
    """Refuse numbers that make the likelihood NaN or minus infinity for all parameters."""
    used: Dataset = dataset
    if "solver" in dataset:
        # ESPEI leaves out what is below 298.15 K, where tables often have NaN.
        (used,) = filter_temperatures([copy.deepcopy(dict(dataset))])
    elif dataset["output"] == "ZPF":
        used = {**dataset, "values": _without_nan(dataset["values"])}
    for key in ("values", "conditions"):
        if not _finite(used[key]):
            raise ValueError(f"{key} have a number that is not finite")
    weights = np.asarray(dataset.get("weight", 1.0), dtype=float)
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise ValueError(
            f"weight must be above 0, not {dataset['weight']}; to exclude the dataset, set disabled: true"
        )


def _without_nan(values: Any) -> Any:
    """Leave out NaN, which ESPEI takes as an unknown mole fraction, like null."""
    if isinstance(values, list):
        return [_without_nan(value) for value in values if not (isinstance(value, float) and np.isnan(value))]
    return values


def _finite(data: Any) -> bool:
    if isinstance(data, Mapping):
        return all(map(_finite, data.values()))
    if isinstance(data, list | np.ndarray):
        return all(map(_finite, data))
    return not isinstance(data, float) or bool(np.isfinite(data))


def _check_sources(dataset: Dataset) -> None:
    """Check keys that ESPEI reads only when it builds or evaluates the likelihood."""
    if dataset["output"] == "ZPF" or "ACR" in dataset["output"]:
        dataset["reference"]
    if "ACR" in dataset["output"]:
        dataset["reference_state"]["phases"], dataset["reference_state"]["conditions"]


def _note_unmatched_tags(tags: Mapping[str, Any], datasets: Iterable[Dataset], findings: Findings) -> None:
    used = {tag for dataset in datasets for tag in dataset.get("tags", [])}
    unmatched = sorted(str(tag) for tag in tags if tag not in used)
    if unmatched:
        findings.note(f"system.tags: no dataset has the tag {named(unmatched)}")
