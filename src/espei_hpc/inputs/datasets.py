"""The datasets: each valid for ESPEI."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from espei.datasets import DatasetError, apply_tags, load_datasets, recursive_glob
from espei.utils import PickleableTinyDB
from tinydb.storages import MemoryStorage

from espei_hpc.errors import Refusal, reason
from espei_hpc.inputs.findings import Findings, named
from espei_hpc.parsing import parse_json, read_text

Dataset = Mapping[str, Any]


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
    for tag in [tag for tag, update in tags.items() if not isinstance(update, dict)]:
        findings.fault(f"system.tags.{tag}", "must hold the keys to set in the datasets with this tag")
    tags = {tag: update for tag, update in tags.items() if isinstance(update, dict)}
    before = len(findings.faults)
    by_file = {file: dataset for file in files if (dataset := _load(file, tags, findings)) is not None}
    complete = len(findings.faults) == before
    if complete and not by_file:
        findings.fault(key, f"every one of the {len(files)} datasets in {directory} is disabled")
        return None
    if complete:
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
        dataset, repeated = _loaded(file, tags)
    except Refusal as refusal:
        findings.faults.extend(refusal.faults)
    except KeyError as error:
        findings.fault_in(file, f"the key {error} is missing")
    except (DatasetError, ValueError) as error:
        # ESPEI puts the file's name in front, which stands there already.
        text = (
            reason(error).removeprefix(f"Dataset Error in {file}: ").removeprefix(f"JSON Error in {file}: ")
        )
        findings.fault_in(file, text)
    except Exception as error:
        findings.fault_in(file, f"ESPEI cannot read this dataset: {reason(error)}")
    else:
        for key in repeated:
            findings.note(f"{file}: {key} is given twice: ESPEI takes the last")
        return dataset
    return None


def _loaded(file: Path, tags: Mapping[str, Any]) -> tuple[Dataset | None, list[str]]:
    """Return what ESPEI makes of one file, None if it is disabled, and the keys that are given twice.

    Raises:
        Exception: whatever ESPEI raises, and for what it would stumble over later.
    """
    data, repeated = parse_json(read_text(file), file)
    if not isinstance(data, dict):
        raise DatasetError(f"must hold keys with values, not a {type(data).__name__}")
    loaded = load_datasets([str(file)])
    apply_tags(loaded, tags)
    for dataset in loaded.all():
        if dataset.get("disabled") is not True:
            _check_numbers(dataset)
            _check_sources(dataset)
            return dict(dataset), repeated
    return None, repeated


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


def _check_sources(dataset: Dataset) -> None:
    """ESPEI reads these only while it prepares or evaluates the likelihood, and fails there."""
    if dataset["output"] == "ZPF" or "ACR" in dataset["output"]:
        dataset["reference"]
    if "ACR" in dataset["output"]:
        dataset["reference_state"]["phases"], dataset["reference_state"]["conditions"]


def _note_unmatched_tags(tags: Mapping[str, Any], datasets: Iterable[Dataset], findings: Findings) -> None:
    used = {tag for dataset in datasets for tag in dataset.get("tags", [])}
    unmatched = sorted(str(tag) for tag in tags if tag not in used)
    if unmatched:
        findings.note(f"system.tags: no dataset has the tag {named(unmatched)}")
