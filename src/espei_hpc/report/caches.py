"""Cache directories for Matplotlib and ArviZ if the user's own are not writable."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def ensure() -> None:
    """Create a cache directory for this process if the user's is not writable, as in many containers.

    Call this before importing either: without a cache directory, importing ArviZ fails.
    """
    if _writable():
        return
    directory = tempfile.mkdtemp(prefix="espei-hpc-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    os.environ["XDG_CACHE_HOME"] = os.environ["MPLCONFIGDIR"] = directory


def _writable() -> bool:
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        cache.mkdir(parents=True, exist_ok=True)
    # Both HOME and the user's passwd entry may be missing.
    except (OSError, RuntimeError):
        return False
    return os.access(cache, os.W_OK)
