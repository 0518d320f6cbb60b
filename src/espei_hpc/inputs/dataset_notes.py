"""Files in the directory of the datasets that do not count as their author may think."""

import json
import os
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from espei_hpc.inputs.findings import Findings, named
from espei_hpc.own_files import without_own

ENDING = ".json"
MARKS = frozenset({"output", "values", "conditions"})
"""Keys that every dataset has."""


def note_duplicates(datasets: Mapping[Path, Mapping[str, Any]], findings: Findings) -> None:
    """Note datasets that are the same in several files: ESPEI counts each of them."""
    same: dict[str, list[Path]] = defaultdict(list)
    for file, dataset in datasets.items():
        same[json.dumps(dataset, default=str)].append(file)
    copies = [named(files) for files in same.values() if len(files) > 1]
    if copies:
        findings.note(
            f"system.datasets: the same dataset in several files, each of which counts: {'; '.join(copies)}"
        )


def note_unread(directory: Path, read: Collection[Path], findings: Findings) -> None:
    """Note files that look like datasets, but that ESPEI does not read because of their name."""
    found = [
        os.path.join(root, name)
        for root, _, names in os.walk(directory, followlinks=True)
        for name in sorted(names)
    ]
    unread = [
        name for name in without_own(found, directory) if Path(name) not in read and _is_meant(Path(name))
    ]
    if unread:
        findings.note(
            f"system.datasets: not read, because ESPEI reads only files whose name ends in {ENDING}: "
            f"{named(unread)}"
        )


def _is_meant(file: Path) -> bool:
    name = file.name.lower()
    if name.endswith(ENDING):
        return True
    # x.json.disabled, x.json~ and others have their name on purpose.
    return ENDING not in name and _looks_like_dataset(file)


def _looks_like_dataset(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            if not opened.read(64).lstrip().startswith(b"{"):  # most are not parsed
                return False
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.keys() >= MARKS
