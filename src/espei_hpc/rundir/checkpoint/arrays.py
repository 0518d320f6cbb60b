"""The chain shown to readers as .npy files, never in place of anything else.

What may be replaced is told by content: a file that holds nothing but iterations of
this very chain. So no sample can be lost, whoever wrote the file; and no record of
what was written can go astray between two processes, hosts or mounts.
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
    """Something else is there."""


def write_array(path: Path, array: Array) -> None:
    """Write an array as ``numpy.save`` does, so that a reader sees it whole or as it was before.

    A file that holds as many of the array's iterations already, or more, stays as it is.

    Args:
        path: the .npy file.
        array: (walkers, iterations, ...).

    Raises:
        Refusal: (CANNOT_CREATE) if the file there is something else, or the file system refuses; the
            file is as it was.
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
    """Check that ``write_array`` may write a chain here, without writing.

    Args:
        path: the .npy file, which need not be there.
        array: (walkers, iterations, ...) the chain so far.

    Raises:
        Refusal: (CANNOT_CREATE) if something else is there.
    """
    try:
        _iterations_in(path, array)
    except _Foreign as error:
        raise _refusal_to_replace(path) from error
    except OSError as error:
        raise _cannot_write(path, error) from error


class _Writer:
    """Keeps numpy from its own way of writing to files, which does not tell why it failed."""

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write


def _place_first(temporary: Path, path: Path) -> None:
    """Make sure that the name is ours: both ways fail if somebody else took it meanwhile."""
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
    """Return how many iterations of the chain a file holds; None if there is no file.

    Raises:
        _Foreign: if it holds anything else.
    """
    if not os.path.lexists(path):
        return None
    if not path.is_file():
        raise _Foreign
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return 0  # nothing to lose
        shape = _shape(file, array)
        if shape[1] and not array.shape[1]:
            raise _Foreign  # nothing to tell it by
        length = math.prod(shape[1:]) * array.itemsize
        for samples in array:
            both = samples[: shape[1]].tobytes()
            # Bytes, since -0.0 and 0.0 are not the same sample.
            there = file.read(length)
            if len(there) != length or not there.startswith(both):
                raise _Foreign
        if file.read(1):
            raise _Foreign
    return shape[1]


def _shape(file: BinaryIO, array: Array) -> tuple[int, ...]:
    """Read the header of a file, and check that it is of an array like this one."""
    try:
        if np.lib.format.read_magic(file) != (1, 0):
            raise _Foreign
        shape, transposed, dtype = np.lib.format.read_array_header_1_0(file)
    except OSError:
        raise
    except Exception as error:  # whatever numpy makes of something else's first bytes
        raise _Foreign from error
    alike: Any = (len(shape), shape[:1], shape[2:], transposed, dtype)
    if alike != (array.ndim, array.shape[:1], array.shape[2:], False, array.dtype) or min(shape) < 0:
        raise _Foreign
    return tuple(int(length) for length in shape)


def _refusal_to_replace(path: Path) -> Refusal:
    fault = Fault(
        str(path),
        "somebody else's file is there, or one that was changed, and it is not written over; the samples are "
        "safe in the checkpoint",
        "move it away and start again",
    )
    return Refusal(ExitCode.CANNOT_CREATE, [fault])


def _cannot_write(path: Path, error: OSError) -> Refusal:
    fault = Fault(
        str(path),
        f"cannot be written ({reason(error)}); the samples are safe in the checkpoint",
        "make room, or make it writable, and start again",
    )
    return Refusal(ExitCode.CANNOT_CREATE, [fault])
