"""The chain as .npy files for readers; other files are never overwritten.

A file may be replaced if it contains only iterations of this chain. The content
decides, so no samples can be lost, and no record of what was written is needed,
which could be lost between processes, hosts or mounts.
"""

import errno
import math
import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.files import READABLE, new_file, reason, remove_leftovers

_NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)

Array = NDArray[np.float64]


class _Foreign(Exception):
    """The existing file is not a part of this chain."""


def write_array(path: Path, array: Array) -> None:
    """Write an array as ``numpy.save`` does, atomically.

    A file that already has as many iterations of the array, or more, is not changed.

    Args:
        path: the .npy file.
        array: (walkers, iterations, ...).

    Raises:
        Refusal: (CANNOT_CREATE) if an existing file has other content, or on a file-system error; the
            file is unchanged.
    """
    if array.flags.fnc:  # numpy.save would write it transposed
        array = np.ascontiguousarray(array)
    try:
        seen = _identity(path)
        there = _iterations_in(path, array)
        if there is not None and there >= array.shape[1]:
            return
        remove_leftovers(path.parent, lambda name: name == path.name)
        with new_file(path, lambda file: np.save(_Writer(file), array), READABLE) as temporary:
            if _identity(path) != seen:
                raise _Foreign
            if there is None:
                _place_first(temporary, path)
            os.rename(temporary, path)
    except (_Foreign, FileExistsError) as error:
        raise _refusal_to_replace(path) from error
    except OSError as error:
        raise _cannot_write(path, error) from error


def check_array(path: Path, array: Array) -> None:
    """Check that ``write_array`` may write a chain to a file, without writing.

    Args:
        path: the .npy file, which need not exist.
        array: (walkers, iterations, ...) the chain so far.

    Raises:
        Refusal: (CANNOT_CREATE) if an existing file has other content.
    """
    try:
        _iterations_in(path, array)
    except _Foreign as error:
        raise _refusal_to_replace(path) from error
    except OSError as error:
        raise _cannot_write(path, error) from error


class _Writer:
    """Hides the file from numpy, whose direct writes do not report why they failed."""

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write


def _place_first(temporary: Path, path: Path) -> None:
    """Create the name; this fails if another process has created it in the meantime."""
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, READABLE))


def _identity(path: Path) -> tuple[int, ...] | None:
    try:
        there = path.lstat()
    except FileNotFoundError:
        return None
    return there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns


def _iterations_in(path: Path, array: Array) -> int | None:
    """Return how many iterations of the chain a file has; None if there is no file.

    Raises:
        _Foreign: if it has anything else.
    """
    if not os.path.lexists(path):
        return None
    if not path.is_file():
        raise _Foreign
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return 0  # an empty file has nothing to lose
        shape = _shape(file, array)
        if shape[1] and not array.shape[1]:
            raise _Foreign  # an empty chain cannot be compared with it
        length = math.prod(shape[1:]) * array.itemsize
        for samples in array:
            both = samples[: shape[1]].tobytes()
            # Compare bytes: -0.0 and 0.0 are different samples.
            there = file.read(length)
            if len(there) != length or not there.startswith(both):
                raise _Foreign
        if file.read(1):
            raise _Foreign
    return shape[1]


def _shape(file: BinaryIO, array: Array) -> tuple[int, ...]:
    """Read the header of a file, and check that its array is like this one."""
    try:
        if np.lib.format.read_magic(file) != (1, 0):
            raise _Foreign
        shape, transposed, dtype = np.lib.format.read_array_header_1_0(file)
    except OSError:
        raise
    except Exception as error:  # numpy raises various errors for files that are not arrays
        raise _Foreign from error
    alike: Any = (len(shape), shape[:1], shape[2:], transposed, dtype)
    if alike != (array.ndim, array.shape[:1], array.shape[2:], False, array.dtype) or min(shape) < 0:
        raise _Foreign
    return tuple(int(length) for length in shape)


def _refusal_to_replace(path: Path) -> Refusal:
    fault = Fault(
        str(path),
        "the file was not written by this fit, or was changed; not overwritten; the samples are safe in the "
        "checkpoint",
        "move it away and run the same command again",
    )
    return Refusal(ExitCode.CANNOT_CREATE, [fault])


def _cannot_write(path: Path, error: OSError) -> Refusal:
    fault = Fault(
        str(path),
        f"cannot be written ({reason(error)}); the samples are safe in the checkpoint",
        "free disk space, or make it writable, and run the same command again",
    )
    return Refusal(ExitCode.CANNOT_CREATE, [fault])
