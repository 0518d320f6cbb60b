"""Files that are on disk whole or not at all, whatever ends the process that writes them."""

import contextlib
import errno
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode

PRIVATE = 0o600
PRIVATE_DIRECTORY = 0o700
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}\.tmp")


@contextmanager
def new_file(path: Path, write: Callable[[BinaryIO], object], mode: int = PRIVATE) -> Iterator[Path]:
    """Write a file beside ``path`` and give its name, for the caller to rename or link it.

    What it holds is on disk before the caller gets it, and the new name is on disk
    before the block is left. If it has not been renamed by then, it is removed.

    Args:
        path: the name it is to have in the end.
        write: puts the content into the open file.
        mode: permissions of the file, less the umask.

    Raises:
        OSError: if the file system refuses; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with open(descriptor, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
        _sync_directory(path.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a private file (0600) in place of the one of that name.

    Raises:
        OSError: if the file system refuses; the file of that name is as it was.
    """
    with new_file(path, lambda file: file.write(content)) as temporary:
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
