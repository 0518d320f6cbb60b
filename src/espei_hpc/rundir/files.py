"""Files of a run directory, which readers on any host see whole or not at all, whatever ends their writer.

Every file is written beside its name and then renamed. What a fit needs to resume is durable: it is on
disk before its name is, so that it survives a crash of the machine. What others only read need not be.
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
    """Write a file beside ``path`` and give its name, for the caller to rename or link it.

    If it has not been renamed by the end of the block, it is removed.

    Args:
        path: the name it is to have in the end.
        write: puts the content into the open file.
        mode: permissions of the file, less the umask.
        durable: whether the content is on disk before the caller gets the file, and the new name before
            the block is left.

    Raises:
        OSError: if the file system refuses; nothing is left behind.
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


def write_whole(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a private file (0600) in place of the one of that name.

    Raises:
        OSError: if the file system refuses; the file of that name is as it was.
    """
    with new_file(path, lambda file: file.write(content), durable=durable) as temporary:
        os.rename(temporary, path)


def write_json(path: Path, content: object) -> None:
    """Write a private JSON file (0600) that survives a crash of the machine.

    Args:
        path: the file.
        content: what ``json.dumps`` takes.

    Raises:
        Refusal: (CANNOT_CREATE) if the file system refuses; the file of that name is as it was.
    """
    try:
        remove_leftovers(path.parent, lambda name: name == path.name)
        write_whole(path, json.dumps(content, indent=1).encode())
    except OSError as error:
        fault = Fault(str(path), f"cannot be written ({reason(error)})", "make room, or make it writable")
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
    """Remove the temporary files that killed writers left.

    Args:
        directory: where they wrote.
        of: whether a file of this name is the caller's to write.

    Raises:
        OSError: if the directory cannot be read or changed.
    """
    with os.scandir(directory) as entries:
        leftovers = [e.name for e in entries if (made := _TEMPORARY.fullmatch(e.name)) and of(made["name"])]
    for name in leftovers:
        (directory / name).unlink(missing_ok=True)


def reason(error: OSError) -> str:
    """Return the system's words for what went wrong, without a path."""
    return error.strerror or str(error)


def _sync_directory(directory: Path) -> None:
    """Bring the names in a directory to disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot, and keep names safe by themselves.
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
    finally:
        os.close(descriptor)
