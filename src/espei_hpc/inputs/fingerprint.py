"""Fingerprint of a problem: everything the chain depends on. Equal fingerprints give equal chains.

It is stored with the checkpoint, so that a restart with different data, a
different database or another version of ESPEI is refused, naming the change,
instead of being appended to an unrelated chain.
"""

import hashlib
import json
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from espei_hpc import user_code
from espei_hpc.inputs.dataset_files import dataset_files

if TYPE_CHECKING:
    from espei_hpc.inputs.checking import Problem

PACKAGES = ("espei", "pycalphad", "emcee", "numpy", "scipy", "symengine")
NOT_OF_THE_CHAIN = frozenset({"iterations", "save_interval", "scheduler", "cores"})
"""Settings of ``mcmc`` that may differ between two starts of the same fit."""
FILES = frozenset({"input_db", "restart_trace"})
"""Settings that name a file; the content of the file counts."""
DIGEST_LENGTH = 16
USER_CODE = "user code "
"""Beginning of the name of a Python module of the user's."""


def fingerprint(problem: "Problem") -> dict[str, str]:
    """Return everything that the chain of a problem depends on: value or digest, by name.

    Paths are relative to the working directory, as in ESPEI.
    """
    settings = problem.settings
    marks = {f"version of {package}": version(package) for package in PACKAGES}
    # The order of sets of strings, and so the last digits, depends on Python's version.
    marks["version of python"] = ".".join(platform.python_version_tuple()[:2])
    marks |= dict(_datasets(Path(settings["system"]["datasets"])))
    marks["phase models"] = _digest_json(Path(settings["system"]["phase_models"]))
    marks |= dict(_user_code(problem))
    marks["tags"] = json.dumps(settings["system"].get("tags", {}), sort_keys=True)
    if problem.symbols:
        marks["symbols"] = " ".join(problem.symbols)
    for section in ("generate_parameters", "mcmc"):
        marks |= dict(_settings(section, settings.get(section) or {}))
    return marks


def _settings(section: str, settings: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        if key in FILES:
            yield f"{section}.{key}", _digest(Path(value).read_bytes())
        elif key not in NOT_OF_THE_CHAIN:
            yield f"{section}.{key}", json.dumps(value, sort_keys=True)


def _user_code(problem: "Problem") -> Iterator[tuple[str, str]]:
    found = user_code.files(problem.user_code) if problem.user_code is not None else {}
    if problem.generates:
        # ESPEI imports a fitting description from the working directory, too.
        description = problem.settings["generate_parameters"]["fitting_description"]
        found |= user_code.files_of(description.partition(".")[0])
    for name, file in found.items():
        yield f"{USER_CODE}{name}", _digest(file.read_bytes())


def _datasets(directory: Path) -> Iterator[tuple[str, str]]:
    for name in dataset_files(directory):
        path = Path(name)
        yield f"dataset {path.relative_to(directory)}", _digest_json(path)


def _digest_json(path: Path) -> str:
    """Return a digest of a JSON file's data, independent of its formatting but not of the order of keys."""
    return _digest(json.dumps(json.loads(path.read_text())).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH]
