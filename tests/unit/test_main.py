"""The start and the end of every command, around what it does."""

import os
import subprocess
import sys
from pathlib import Path

from espei_hpc.environment import clean_environment
from fits import write_fit

COUNT = """
import gc, sys
from espei_hpc.__main__ import main
sys.argv[1:] = ["check", "--in", "x.yaml"]
code = main()
print(code, gc.get_stats()[2]["collections"], gc.get_freeze_count())
"""


def test_what_was_imported_is_looked_through_for_garbage_hardly_ever(tmp_path: Path) -> None:
    write_fit(tmp_path, iterations=30)
    done = subprocess.run(
        [sys.executable, "-c", COUNT],
        env=clean_environment(os.environ),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    code, full_collections, kept = map(int, done.stdout.splitlines()[-1].split())
    assert code == 0, done.stderr
    # With Python's own thresholds there are five.
    assert full_collections <= 1
    # At its end Python looks through nothing but what is new since.
    assert kept > 100_000
