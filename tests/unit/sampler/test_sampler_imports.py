"""The sampler runs anywhere; the problem is read without a cluster."""

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path


def imported_by(package: str) -> set[str]:
    """Return the dotted names in all import statements of a package's files."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    files = list(Path(spec.origin).parent.rglob("*.py"))
    assert len(files) > 2
    names = set()
    for node in (node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute in this project"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_importing_the_sampler_loads_no_cluster_and_no_espei() -> None:
    script = "import espei_hpc.sampler, json, sys; print(json.dumps(sorted(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    loaded = {name.split(".")[0] for name in json.loads(out)}
    assert "numpy" in loaded
    assert not loaded & {"dask", "distributed", "mpi4py", "espei", "emcee", "pycalphad"}


def test_sampler_uses_nothing_but_numpy_and_scipy() -> None:
    names = {name for name in imported_by("espei_hpc.sampler") if not name.startswith("espei_hpc.sampler.")}
    assert {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) == {"numpy", "scipy"}


def test_problem_imports_no_cluster() -> None:
    """ESPEI itself imports distributed, so the import statements are read instead."""
    names = imported_by("espei_hpc.inputs")
    assert not {name.split(".")[0] for name in names} & {"dask", "distributed", "dask_mpi", "mpi4py"}
    ours = {".".join(name.split(".")[:2]) for name in names if name.startswith("espei_hpc.")}
    assert ours <= {
        f"espei_hpc.{name}"
        for name in ("inputs", "errors", "exit_codes", "own_files", "parsing", "shipped", "text", "user_code")
    }
