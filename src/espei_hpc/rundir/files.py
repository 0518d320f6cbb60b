"""Atomic file writes: a file is complete or unchanged, even if its writer is killed.

Each file is written under a temporary name and then renamed. The files that a fit needs to resume are
durable too: they survive a crash of the machine, because their content is on disk before their name is.
"""

import contextlib
import errno
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode

PRIVATE = 0o600
PRIVATE_DIRECTORY = 0o700
READABLE = 0o666
"""Of results, which others may read as the umask has it."""
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}\.tmp")


@contextmanager
def new_file(
    path: Path, write: Callable[[BinaryIO], object], mode: int = PRIVATE, *, durable: bool = True
) -> Iterator[Path]:
    """Write a temporary file next to ``path``; the caller renames or links it.

    If it has not been renamed by the end of the block, it is removed.

    Args:
        path: the final name.
        write: writes the content to the open file.
        mode: permissions of the file, before the umask.
        durable: whether the content is on disk (fsync) when the block begins, and the new name when it ends.

    Raises:
        OSError: on a file-system error; no file is left behind.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    flags = os.O_EXCL | os.O_CLOEXEC
    try:
        with open(temporary, "xb", opener=lambda name, given: os.open(name, given | flags, mode)) as file:
            write(file)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        yield temporary
        if durable:
            _sync_directory(path.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes, mode: int = PRIVATE, *, durable: bool = True) -> None:
    """Write or replace a file atomically; without a mode it is private (0600).

    Raises:
        OSError: on a file-system error; an existing file is unchanged.
    """
    with new_file(path, lambda file: file.write(content), mode, durable=durable) as temporary:
        os.rename(temporary, path)


def write_json(path: Path, content: object) -> None:
    """Write a private JSON file (0600) that survives a crash of the machine.

    Args:
        path: the file.
        content: anything that ``json.dumps`` accepts.

    Raises:
        Refusal: (CANNOT_CREATE) on a file-system error; an existing file is unchanged.
    """
    write_safely(path, json.dumps(content, indent=1).encode())


def write_safely(path: Path, content: bytes) -> None:
    """Write a private file (0600) that survives a crash of the machine.

    Raises:
        Refusal: (CANNOT_CREATE) on a file-system error; an existing file is unchanged.
    """
    try:
        remove_leftovers(path.parent, lambda name: name == path.name)
        write_whole(path, content)
    except OSError as error:
        fault = Fault(
            str(path), f"cannot be written ({reason(error)})", "free disk space, or make it writable"
        )
        raise Refusal(ExitCode.CANNOT_CREATE, [fault]) from error


def pass_json(path: Path, content: object) -> None:
    """Write a private JSON file (0600) for other processes of this start of the cluster.

    Raises:
        OSError: if the file system refuses; the file of that name is as it was.
    """
    write_whole(path, json.dumps(content).encode(), durable=False)


def write_best_effort(path: Path, content: bytes) -> None:
    """Write a private file (0600) that the fit can do without: errors of the file system are ignored."""
    with contextlib.suppress(OSError):
        remove_leftovers(path.parent, lambda name: name == path.name)
        write_whole(path, content, durable=False)


def read_json(path: Path) -> Any | None:
    """Return the content of a JSON file; None while it is missing, unreadable or incomplete."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def remove_leftovers(directory: Path, of: Callable[[str], bool]) -> None:
    """Remove the temporary files of killed writers.

    Args:
        directory: the directory to clean.
        of: whether the caller writes files of this name.

    Raises:
        OSError: if the directory is not readable or writable.
    """
    with os.scandir(directory) as entries:
        leftovers = [e.name for e in entries if (made := _TEMPORARY.fullmatch(e.name)) and of(made["name"])]
    for name in leftovers:
        (directory / name).unlink(missing_ok=True)


def reason(error: OSError) -> str:
    """Return the system's error message, without a path."""
    return error.strerror or str(error)


def _sync_directory(directory: Path) -> None:
    """Flush the names in a directory to disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems do not support it; they keep names safe without it.
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
    finally:
        os.close(descriptor)
