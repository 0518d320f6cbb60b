"""Writing new files, all of them or none, and never over others."""

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.inputs.findings import named


def write(directory: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write files, and make the directories for them.

    Args:
        directory: where.
        contents: by the files' names below it.

    Returns:
        What was made: directories before what is in them.

    Raises:
        Refusal: (CANNOT_CREATE) saying which files are there already, or what the system refused.
            Nothing is left then.
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
        fault = Fault(str(path), f"cannot be written: {error.strerror}", "name another directory")
        raise Refusal(ExitCode.CANNOT_CREATE, [fault]) from error
    except BaseException:
        remove(made)
        raise
    return made


def _in_the_way(directory: Path, there: Sequence[Path]) -> Fault:
    files = (
        "1 file that would be written exists"
        if len(there) == 1
        else (f"{len(there)} files that would be written exist")
    )
    names = named([str(path.relative_to(directory)) for path in there], 3)
    cure = "name another directory, or move them away"
    return Fault(str(directory if directory.name else directory.resolve()), f"{files} already: {names}", cure)


def _make_directory(directory: Path, made: list[Path]) -> None:
    if not directory.is_dir():
        _make_directory(directory.parent, made)
        directory.mkdir()
        made.append(directory)


def remove(made: Iterable[Path]) -> None:
    """Take away what :func:`write` has made; a directory that others have used since stays."""
    for path in reversed(list(made)):
        with contextlib.suppress(OSError):
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()
