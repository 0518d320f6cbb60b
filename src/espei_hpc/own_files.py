"""Files that this program writes: a search for the user's data passes over them.

ESPEI searches the directory of the datasets with all its subdirectories, and an
input may name the directory in which it stands (``datasets: .``). Then run
directories and scheduler files, of this fit and of others, are among the data.
"""

import functools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

RECORD = "run.json"
CLUSTER = "cluster"
SETTINGS = "settings.json"
SEGMENTS = "checkpoint/[0-9]*_[0-9]*-[0-9]*_*.npz"


def without_own(files: Iterable[str], start: Path | str) -> list[str]:
    """Leave out the files that this program wrote.

    Args:
        files: names of files in a directory and its subdirectories.
        start: that directory.
    """
    is_run_directory = functools.cache(_is_run_directory)

    def own(file: Path) -> bool:
        inside = file.relative_to(start).parents
        return any(is_run_directory(start / part) for part in inside) or _is_scheduler_file(file)

    start = Path(start)
    return [name for name in files if not own(Path(name))]


def _is_run_directory(directory: Path) -> bool:
    """Whether this program made a directory; its name does not matter, because users may choose it."""
    starts = directory.glob(f"{CLUSTER}/*/{SETTINGS}")
    return (
        _has_keys(directory / RECORD, "fingerprint", "command", "version")
        or any(_has_keys(file, "ranks", "scheduler_file") for file in starts)
        # The record may be damaged or lost.
        or any(directory.glob(SEGMENTS))
    )


def _is_scheduler_file(file: Path) -> bool:
    """Whether Dask's scheduler wrote a file, from which workers and clients take its address."""
    return _has_keys(file, "type", "address", "workers")


def _has_keys(file: Path, *keys: str) -> bool:
    """Whether a JSON file has these keys, and is no dataset."""
    try:
        text = file.read_bytes()
        # Most files need not be parsed.
        content: Any = json.loads(text) if all(f'"{key}"'.encode() in text for key in keys) else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and set(keys) <= content.keys() and "output" not in content
