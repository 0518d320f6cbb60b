"""Files that a fit writes by the way, for whoever looks: none of them may ever hinder it."""

import os
from contextlib import suppress
from pathlib import Path

PRIVATE = 0o600


def write(path: Path, content: bytes) -> None:
    """Write a private file (0600), whole or not at all; what the file system refuses is let be.

    It need not survive a crash of the machine, so nothing is waited for. Only one process may write it.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with suppress(OSError):
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE)
            with open(descriptor, "wb") as file:
                file.write(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
