"""Places for what Matplotlib and ArviZ keep between runs, where the user's own cannot be written."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def ensure() -> None:
    """Give them a directory for this process where the user has none, as in many containers.

    To be called before either is imported: ArviZ ends there with an error otherwise.
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
    # There may be neither HOME nor an entry for the user.
    except (OSError, RuntimeError):
        return False
    return os.access(cache, os.W_OK)
