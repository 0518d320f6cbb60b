"""ESPEI's own tests of its residuals hold where plans answer them, and stock ESPEI answers alike."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from espei_hpc.likelihood.results import Kind
from espei_hpc.likelihood.upstream import espei as upstream
from support import ROOT, STOCK

SHA256 = {"0.9.1": "0adbc335aa1d3cf513b5684926c00d96479a77fffcef4def9cb02e965b417760"}
"""Of ESPEI's source distribution, which has its tests, by release."""
TESTS = ("test_error_functions.py", "test_mcmc.py")
"""Those that evaluate residuals."""


# They take as long as all others of a plan together, and are fetched from an index the first time.
pytestmark = pytest.mark.all


@pytest.fixture(scope="module")
def own_tests(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that holds the package ``tests`` of the installed ESPEI."""
    release = upstream.versions()["espei"]
    kept = (
        pytestconfig.cache.mkdir("espei-sources") if pytestconfig.cache else tmp_path_factory.mktemp("sdist")
    )
    archive = kept / f"espei-{release}.tar.gz"
    if not _is_whole(archive, SHA256[release]):
        _download(release, kept, tmp_path_factory.mktemp("requirements") / "espei.txt")
        assert _is_whole(archive, SHA256[release])
    directory = tmp_path_factory.mktemp("espei-own")
    with tarfile.open(archive) as packed:
        # Not ESPEI itself, which would hide the installed one.
        own = [member for member in packed if member.name.startswith(f"espei-{release}/tests/")]
        packed.extractall(directory, own, filter="data")
    return directory / f"espei-{release}"


def _is_whole(archive: Path, digest: str) -> bool:
    return archive.exists() and hashlib.sha256(archive.read_bytes()).hexdigest() == digest


def _download(release: str, directory: Path, requirements: Path) -> None:
    """Have pip fetch the source distribution from the index that pip is configured for."""
    # The digest is that of one file; pip takes no other.
    requirements.write_text(f"espei=={release} --hash=sha256:{SHA256[release]}\n")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(directory)]
    # Nothing is built, but pip asks what would be: with the setuptools that is here.
    how = ["--no-deps", "--no-build-isolation", "--no-binary=espei", "--require-hashes"]
    subprocess.run([*pip, *how, "--requirement", str(requirements)], check=True)


@pytest.fixture(scope="module")
def record(own_tests: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of ESPEI's own tests (``prepared_plugin.Record``)."""
    path = tmp_path_factory.mktemp("record") / "record.json"
    run = [sys.executable, "-m", "pytest", "-p", "unit.likelihood.prepared_plugin", "--record", str(path)]
    # On its own: with none of this project's settings.
    alone = ["-p", "no:cacheprovider", "--config-file", os.devnull, "--rootdir", str(own_tests)]
    import_path = os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    done = subprocess.run(
        [*run, *alone, *(f"tests/{name}" for name in TESTS)],
        cwd=own_tests,
        env=os.environ | STOCK | {"PYTHONPATH": import_path, "MPI4PY_RC_INITIALIZE": "0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(path.read_text()))


def test_espeis_own_tests_pass_with_plans(record: dict[str, Any]) -> None:
    outcomes = list(record["outcomes"].values())
    # ESPEI expects two to fail: they replace a function that it has no more.
    assert (outcomes.count("passed"), outcomes.count("expectedly skipped"), len(outcomes)) == (40, 2, 42)


def test_plans_of_every_kind_answer_espeis_own_tests(record: dict[str, Any]) -> None:
    assert record["planned"].keys() == set(Kind) - {Kind.WHOLE}


def test_nothing_that_espeis_own_tests_ask_for_is_left_to_stock(record: dict[str, Any]) -> None:
    assert record["left"] == []


def test_plans_have_the_bits_of_stock_in_espeis_own_tests(record: dict[str, Any]) -> None:
    assert record["differences"] == []
