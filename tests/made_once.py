"""What several tests need and none changes: made by the first that asks, whichever process runs it."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a directory that ``make`` has filled; whoever changes it works in a copy.

    Args:
        factory: of pytest's directories.
        name: of the directory; tests that name it alike share it.
        make: fills it, given an empty one.
    """
    own = factory.getbasetemp()
    # Those of the processes of one run stand beside each other.
    place = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "made-once"
    place.mkdir(exist_ok=True)
    directory, whole = place / name, place / f"{name}.whole"
    with (place / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
            make(directory)
            whole.touch()
    return directory
