"""The lock installs as it is, whatever has appeared on the index since, by any pip, over a bad network."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from container.machine import run
from install.failing_index import serving
from install.moved_index import NEWER, add_newer, locked, wheel
from support import ROOT, Result

LOCK = ROOT / "lock"
ASKED_WITH_AN_EXTRA = "coverage"
"""pytest-cov asks for ``coverage[toml]``; pip before 23.3 refused the lock once there was a newer one."""
NEW_ON_THE_INDEX = (ASKED_WITH_AN_EXTRA, "dask", "numpy", "pip", "setuptools", "symengine")
PIPS = ["22.0", "23.0.1", "23.2.1", "24.0", "25.0", ""]
"""The oldest that runs with Python 3.11, Debian 12's, and others to the newest."""
FIRST_AND_LAST = [
    pytest.param(version, marks=[] if version in (PIPS[0], PIPS[-1]) else pytest.mark.long)
    for version in PIPS
]


def install(
    place: Path,
    *groups: str,
    lock: Path = LOCK,
    python: str | Path = sys.executable,
    settings: Mapping[str, str] | None = None,
) -> Result:
    """Run lock/install.py with settings of pip, whose cache stays the user's."""
    words = [str(word) for word in (python, lock / "install.py", place, *groups)]
    env = os.environ | dict(settings or {})
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    return Result(done.returncode, done.stdout + done.stderr)


def versions(environment: Path) -> dict[str, str]:
    """Return what is installed."""
    listed = run(environment / "bin" / "python", "-m", "pip", "list", "--format=json")
    return {_normal(one["name"]): one["version"] for one in json.loads(listed)}


def pinned(*locks: str) -> dict[str, str]:
    """Return what lock files say for this machine; of lines with a condition those it does not decide."""
    texts = [(LOCK / f"{lock}.txt").read_text() for lock in locks]
    lines = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)( ; )?", "\n".join(texts), re.MULTILINE)
    return {_normal(name): number for name, number, condition in lines if not condition}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture
def moved_on(tmp_path: Path) -> Path:
    """Newer releases, all broken."""
    directory = tmp_path / "newer"
    directory.mkdir()
    add_newer(directory, NEW_ON_THE_INDEX)
    return directory


def beside_the_index(directory: Path) -> dict[str, str]:
    """Return the setting with which pip finds a directory's wheels too."""
    known = os.environ.get("PIP_FIND_LINKS", "")
    return {"PIP_FIND_LINKS": f"{known} {directory}".strip()}


@pytest.fixture
def small_lock(tmp_path: Path) -> Path:
    """The lock's own installer and pip, and of its packages those around ``coverage[toml]``."""
    lock = tmp_path / "lock"
    shutil.copytree(LOCK, lock)
    kept = (ASKED_WITH_AN_EXTRA, "iniconfig", "packaging", "pluggy", "pygments", "pytest", "pytest-cov")
    (lock / "espei-hpc.txt").write_text("".join(entries(kept)))
    return lock


def entries(names: Iterable[str]) -> list[str]:
    """Return the entries of the whole lock for some packages."""
    found = re.split(r"^(?=\S)", (LOCK / "espei-hpc.txt").read_text(), flags=re.MULTILINE)
    return [entry for entry in found if re.split(r"[\[=]", entry)[0] in names]


def with_pip(place: Path, version: str) -> Path:
    """Make a Python that has that pip, the newest if it is empty."""
    run(sys.executable, "-m", "venv", "--without-pip", place)
    (packages,) = place.glob("lib/python*/site-packages")
    wanted = f"pip=={version}" if version else "pip"
    run(sys.executable, "-m", "pip", "install", "--quiet", "--target", packages, wanted)
    return place / "bin" / "python"


# A few of its packages: test_lock_installs_with_the_pip; all of them, with what is on the index: make demo.
@pytest.mark.long
def test_whole_lock_installs_unchanged_where_newer_and_broken_releases_have_appeared(
    tmp_path: Path, moved_on: Path
) -> None:
    settings = beside_the_index(moved_on)
    unlocked = ("-m", "pip", "install", "--dry-run", "--no-deps", "--ignore-installed", ASKED_WITH_AN_EXTRA)
    assert f"{ASKED_WITH_AN_EXTRA}-{NEWER}" in run(sys.executable, *unlocked, env=settings), "nothing is new"
    result = install(tmp_path / "env", "test", settings=settings)
    assert result.code == 0, result.output
    found = versions(tmp_path / "env")
    assert {name: found.get(name) for name in pinned("espei-hpc", "test", "build", "pip")} == pinned(
        "espei-hpc", "test", "build", "pip"
    )
    assert run(tmp_path / "env" / "bin" / "espei", "--version", env={"MPI4PY_MPIABI": "none"})


# Debian 12's is that of its bare machine.
@pytest.mark.parametrize("version", [PIPS[0], pytest.param(PIPS[1], marks=pytest.mark.long)])
def test_lock_installs_with_the_pip_that_a_machine_has(
    version: str, tmp_path: Path, moved_on: Path, small_lock: Path
) -> None:
    settings = beside_the_index(moved_on)
    python = with_pip(tmp_path / "machine", version)
    result = install(tmp_path / "env", lock=small_lock, python=python, settings=settings)
    assert result.code == 0, result.output
    assert versions(tmp_path / "env")[ASKED_WITH_AN_EXTRA] == pinned("espei-hpc")[ASKED_WITH_AN_EXTRA]


@pytest.mark.long
@pytest.mark.parametrize("version", PIPS, ids=lambda version: version or "newest")
def test_whole_lock_installs_with_every_pip(version: str, tmp_path: Path, moved_on: Path) -> None:
    python = with_pip(tmp_path / "machine", version)
    result = install(tmp_path / "env", python=python, settings=beside_the_index(moved_on))
    assert result.code == 0, result.output
    found = versions(tmp_path / "env")
    assert found.items() >= pinned("espei-hpc").items()


@pytest.mark.parametrize("version", FIRST_AND_LAST, ids=lambda version: version or "newest")
def test_lock_files_are_understood_by_every_pip_itself(
    version: str, tmp_path: Path, moved_on: Path, small_lock: Path
) -> None:
    python = with_pip(tmp_path / "machine", version)
    strict = ("--no-deps", "--require-hashes", "--requirement", small_lock / "espei-hpc.txt")
    run(python, "-m", "pip", "install", "--quiet", *strict, env=beside_the_index(moved_on))
    assert list((tmp_path / "machine").glob(f"lib/*/site-packages/{ASKED_WITH_AN_EXTRA}"))


def test_lock_files_are_understood_by_uv(tmp_path: Path, moved_on: Path, small_lock: Path) -> None:
    tools, environment = tmp_path / "tools", tmp_path / "env"
    run(sys.executable, "-m", "venv", tools)
    run(tools / "bin" / "python", "-m", "pip", "install", "--quiet", "uv")
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    strict = ("--no-deps", "--require-hashes", "--requirement", small_lock / "espei-hpc.txt")
    there = ("--python", environment / "bin" / "python")
    run(tools / "bin" / "uv", "pip", "install", *there, *strict, env={"UV_FIND_LINKS": str(moved_on)})
    assert list(environment.glob(f"lib/*/site-packages/{ASKED_WITH_AN_EXTRA}"))


def test_environment_that_is_whole_is_left_as_it_is(tmp_path: Path, small_lock: Path) -> None:
    assert install(tmp_path / "env", lock=small_lock).code == 0
    (tmp_path / "env" / "mine").touch()
    again = install(tmp_path / "env", lock=small_lock)
    assert again.code == 0, again.output
    assert (tmp_path / "env" / "mine").exists()


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    """A lock of one made-up package, whose wheel is in ``wheels`` beside it, with the real lock's pip."""
    lock, wheels = tmp_path / "lock", tmp_path / "wheels"
    shutil.copytree(LOCK, lock)
    wheels.mkdir()
    for path in lock.glob("*.txt"):
        if path.name != "pip.txt":
            path.write_text("")
    (lock / "espei-hpc.txt").write_text(locked(wheel(wheels, "made-up", "1.0", "answer = 42\n")))
    download = ("-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--dest", wheels)
    run(sys.executable, *download, "--requirement", lock / "pip.txt")
    return lock


def only(url: str) -> Mapping[str, str]:
    """Return settings with which pip knows one index alone, asks it once, and keeps nothing."""
    alone = {
        "PIP_INDEX_URL": url,
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "PIP_CONFIG_FILE": os.devnull,
    }
    return alone | {"PIP_RETRIES": "0", "PIP_RESUME_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}


def test_network_that_fails_now_and_then_is_tried_again(tmp_path: Path, made_up: Path) -> None:
    with serving(tmp_path / "wheels", failures=1) as url:
        result = install(tmp_path / "env", lock=made_up, settings=only(url))
    assert result.code == 0, result.output
    assert "made-up==1.0 was not downloaded completely" in result.output
    assert versions(tmp_path / "env")["made-up"] == "1.0"


def test_network_that_stays_away_is_told_with_the_package_and_what_to_do(
    tmp_path: Path, made_up: Path
) -> None:
    with serving(tmp_path / "wheels", failures=0) as url:
        pass
    result = install(tmp_path / "env", lock=made_up, settings=only(url))
    assert result.code == 69, result.output
    assert re.search(r"pip==\S+ of lock/pip.txt was not installed", result.output), result.output
    assert result.output.rstrip().endswith("run the same command again: installed packages are kept")
    assert "Traceback" not in result.output


def test_file_that_is_not_the_locked_one_is_refused_by_name(tmp_path: Path, made_up: Path) -> None:
    wheel(tmp_path / "wheels", "made-up", "1.0", "answer = 41\n")
    with serving(tmp_path / "wheels", failures=0) as url:
        result = install(tmp_path / "env", lock=made_up, settings=only(url))
    assert result.code == 1, result.output
    assert "made-up==1.0 of lock/espei-hpc.txt was not installed" in result.output
    assert "returns a file with another hash" in result.output


def test_other_python_is_refused_with_the_ones_that_do(tmp_path: Path) -> None:
    old = tmp_path / "python3.10"
    # A stand-in: this Python, saying that it is an older one.
    says = 'import sys, runpy; sys.version_info = (3, 10, 1, "final", 0); sys.argv = sys.argv[1:]; '
    runs = 'runpy.run_path(sys.argv[0], run_name="__main__")'
    old.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{says}{runs}' \"$@\"\n")
    old.chmod(0o755)
    result = install(tmp_path / "env", python=old)
    assert result.code == 78, result.output
    assert "Python 3.11 to 3.13 is needed" in result.output
    assert "PYTHON=" in result.output
