import os
from pathlib import Path

import pytest

# ESPEI imports emcee 2, which imports mpi4py.MPI: that must not start MPI.
os.environ.setdefault("MPI4PY_RC_INITIALIZE", "0")

from unit.inputs.tiny_problem import TinyProblem


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyProblem:
    """A small valid problem in the working directory, to be changed and written."""
    monkeypatch.chdir(tmp_path)
    return TinyProblem(tmp_path)
