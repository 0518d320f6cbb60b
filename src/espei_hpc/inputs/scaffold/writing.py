"""Writing new files, all or none, without overwriting any."""

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.inputs.findings import named


def write(directory: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write files, and create their directories.

    Args:
        directory: the directory.
        contents: content by file name, relative to the directory.

    Returns:
        The paths created: directories before their contents.

    Raises:
        Refusal: (CANNOT_CREATE) if files exist already, or on a file-system error. No files are left
            behind.
    """
    there = [directory / name for name in contents if os.path.lexists(directory / name)]
    if there:
        raise Refusal(ExitCode.CANNOT_CREATE, [_in_the_way(directory, there)])
    made: list[Path] = []
    try:
        for name, content in contents.items():
            path = directory / name
            _make_directory(path.parent, made)
            with path.open("xb") as file:
                made.append(path)
                file.write(content)
    except OSError as error:
        remove(made)
        fault = Fault(str(path), f"cannot be written: {error.strerror}", "use another directory")
        raise Refusal(ExitCode.CANNOT_CREATE, [fault]) from error
    except BaseException:
        remove(made)
        raise
    return made


def _in_the_way(directory: Path, there: Sequence[Path]) -> Fault:
    files = "1 file already exists" if len(there) == 1 else f"{len(there)} files already exist"
    names = named([str(path.relative_to(directory)) for path in there], 3)
    cure = "use another directory, or move them away"
    return Fault(str(directory if directory.name else directory.resolve()), f"{files}: {names}", cure)


def _make_directory(directory: Path, made: list[Path]) -> None:
    if not directory.is_dir():
        _make_directory(directory.parent, made)
        directory.mkdir()
        made.append(directory)


def remove(made: Iterable[Path]) -> None:
    """Remove the paths created by :func:`write`; directories with other files are kept."""
    for path in reversed(list(made)):
        with contextlib.suppress(OSError):
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()
