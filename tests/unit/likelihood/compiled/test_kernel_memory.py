"""The kernel neither leaks memory nor touches memory that is not its own."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from espei_hpc.likelihood import Evaluator
from support import ROOT, STOCK
from unit.likelihood.compiled.building import MODULES, build, source
from unit.likelihood.likelihood_cases import Stock

pytestmark = [pytest.mark.long, pytest.mark.timeout(7200), pytest.mark.needs("the compiled solver")]

EVALUATIONS = 2000
MOST_GROWTH = 4_000_000
"""Bytes, of all evaluations after the first hundred: far less than one number for each solution."""


def test_evaluations_leak_nothing(every_kind: Stock) -> None:
    evaluator = Evaluator(every_kind.recipe.packed())
    process = psutil.Process()
    for number in range(EVALUATIONS):
        evaluator(every_kind.chains[number % len(every_kind.chains)])
        if number == 100:
            before = process.memory_info().rss
    assert process.memory_info().rss - before < MOST_GROWTH


@pytest.mark.needs("C++ compiler")
def test_address_sanitizer_finds_nothing(tmp_path: Path) -> None:
    flags = ["-fsanitize=address", "-fno-omit-frame-pointer", "-g"]
    modules = [build(tmp_path, module, source(module), flags) for module in MODULES]
    # Exceptions of C++ pass through the sanitizer, which needs their library before it begins.
    libraries = [_library("libasan.so"), _library("libstdc++.so")]
    script = Path(__file__).with_name("solve_everything.py")
    done = subprocess.run(
        [sys.executable, script, *modules],
        env=os.environ
        | STOCK
        | {
            "LD_PRELOAD": " ".join(libraries),
            # Python itself keeps memory to its end.
            "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1",
            "PYTHONMALLOC": "malloc",
            "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]).rstrip(
                ":"
            ),
            "MPI4PY_RC_INITIALIZE": "0",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    assert "ERROR: AddressSanitizer" not in done.stderr
    assert int(done.stdout.split()[-1]) > 400


def _library(name: str) -> str:
    return subprocess.check_output(["g++", f"-print-file-name={name}"], text=True).strip()
