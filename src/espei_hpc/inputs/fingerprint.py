"""What a chain depends on, by name: two fits with the same fingerprint have the same chain.

Kept with a run's checkpoint, so that a restart with other data, another
database or another version of ESPEI is noticed, and named, instead of being
appended to a chain that it has nothing to do with.
"""

import hashlib
import json
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from espei.datasets import recursive_glob

if TYPE_CHECKING:
    from espei_hpc.inputs.checking import Problem

PACKAGES = ("espei", "pycalphad", "emcee", "numpy", "scipy", "symengine")
NOT_OF_THE_CHAIN = frozenset({"iterations", "save_interval", "scheduler", "cores"})
"""Settings of ``mcmc`` that may differ between two starts of one fit."""
FILES = frozenset({"input_db", "restart_trace"})
"""Settings that name a file, whose content counts."""
DIGEST_LENGTH = 16


def fingerprint(problem: "Problem") -> dict[str, str]:
    """Return what the chain of a problem depends on: a name for each thing, and its value or digest.

    Paths are read relative to the working directory, as ESPEI does.
    """
    settings = problem.settings
    marks = {f"version of {package}": version(package) for package in PACKAGES}
    # The order of sets of strings, and with it the last digits, is Python's.
    marks["version of python"] = ".".join(platform.python_version_tuple()[:2])
    marks |= dict(_datasets(Path(settings["system"]["datasets"])))
    marks["phase models"] = _digest_json(Path(settings["system"]["phase_models"]))
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


def _datasets(directory: Path) -> Iterator[tuple[str, str]]:
    for name in recursive_glob(str(directory), "*.json"):
        path = Path(name)
        yield f"dataset {path.relative_to(directory)}", _digest_json(path)


def _digest_json(path: Path) -> str:
    """Digest what a file says, not how it is laid out; the order of keys counts for ESPEI."""
    return _digest(json.dumps(json.loads(path.read_text())).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH]
