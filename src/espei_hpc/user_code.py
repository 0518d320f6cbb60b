"""Python modules of the user's, which an input may name: models, fitting descriptions, reference states.

Stock ESPEI finds them by ``PYTHONPATH``. Our processes ignore that variable, which often has the packages of
another Python; the user names the directory of the modules instead.
"""

import importlib.util
import os
import sys
from collections.abc import Iterator
from importlib.machinery import all_suffixes
from pathlib import Path

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode

CURE = "put its module into a directory and name that with --user-code (PYTHONPATH is not used)"
CACHE = "__pycache__"


def use(directory: Path) -> None:
    """Make the modules of a directory importable in this process, and in those that it spawns.

    Call this before ESPEI is imported, which then loads all installed reference states.

    Raises:
        Refusal: (BAD_INPUT) if there is no such directory, or a module in it could not be imported because
            another one of its name is installed.
    """
    faults = list(_faults(directory))
    if faults:
        raise Refusal(ExitCode.BAD_INPUT, faults)
    # Behind all others: nothing in it may replace a module that ESPEI imports.
    if str(directory.absolute()) not in sys.path:
        sys.path.append(str(directory.absolute()))


def files(directory: Path) -> dict[str, Path]:
    """Return the files from which modules below a directory can be imported, by their relative names."""
    found: dict[str, Path] = {}
    seen: set[Path] = set()
    for root, below, names in os.walk(directory, followlinks=True):
        here = Path(root)
        # A link may lead back to a directory around it.
        below[:] = [name for name in sorted(below) if name.isidentifier() and name != CACHE]
        if (real := here.resolve()) in seen:
            below.clear()
            continue
        seen.add(real)
        modules = [here / name for name in sorted(names) if _is_module(name)]
        found |= {str(path.relative_to(directory)): path for path in modules}
    return found


def files_of(module: str) -> dict[str, Path]:
    """Return the files of a module or package in the working directory; none if it is an installed one."""
    if _is_installed(module, Path()):
        return {}
    beside = {path.name: path for path in sorted(Path().glob(f"{module}.*")) if _is_module(path.name)}
    return beside | {f"{module}/{name}": path for name, path in files(Path(module)).items()}


def _faults(directory: Path) -> Iterator[Fault]:
    if not directory.is_dir():
        what = "is a file, not a directory" if directory.exists() else "does not exist"
        yield Fault("--user-code", f"{directory} {what}", "name the directory of your Python modules")
        return
    for path in sorted(directory.iterdir()):
        name = path.name.partition(".")[0]
        is_module = _is_module(path.name) or (path / "__init__.py").is_file()
        if is_module and _is_installed(name, directory):
            what = f"has the name of the installed module {name}, which would be imported instead"
            yield Fault(str(path), what, "rename it")


def _is_module(name: str) -> bool:
    stem, dot, _ = name.partition(".")
    return stem.isidentifier() and bool(dot) and name.endswith(tuple(all_suffixes()))


def _is_installed(name: str, directory: Path) -> bool:
    if name in sys.stdlib_module_names:
        return True
    found = importlib.util.find_spec(name)
    return found is not None and not Path(found.origin or "").is_relative_to(directory.absolute())
