"""Builds of the kernel for tests: with a wrong line, or with a sanitizer."""

import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np

from espei_hpc.likelihood import compiled
from support import ROOT

MODULE = "espei_hpc.likelihood.compiled.solver"
SOURCE = ROOT / "src" / "espei_hpc" / "likelihood" / "compiled" / "solver.pyx"
FLAGS = ("-shared", "-fPIC", "-O2", "-ffp-contract=off", "-DNPY_NO_DEPRECATED_API=NPY_1_7_API_VERSION")
"""As in the build of the package."""


def build(directory: Path, source: str, flags: Sequence[str] = ()) -> Path:
    """Compile the kernel's source, which may be changed; return the extension module."""
    directory.mkdir(parents=True, exist_ok=True)
    pyx, cpp = directory / SOURCE.name, directory / "solver.cpp"
    pyx.write_text(source)
    built = directory / f"solver{sysconfig.get_config_var('EXT_SUFFIX')}"
    # Without the name of the package, Cython would take it for a module of its own.
    cython = [sys.executable, "-m", "cython", "--cplus", "--module-name", MODULE, "-o", str(cpp), str(pyx)]
    subprocess.run(cython, check=True)
    include = [f"-I{sysconfig.get_path('include')}", f"-I{np.get_include()}"]
    subprocess.run(["g++", *FLAGS, *flags, *include, str(cpp), "-o", str(built)], check=True)
    return built


def load(module: Path) -> None:
    """Use the kernel from a file in this process."""
    spec = spec_from_file_location(MODULE, module, loader=ExtensionFileLoader(MODULE, str(module)))
    assert spec is not None
    assert spec.loader is not None
    sys.modules[MODULE] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules[MODULE])
    assert not compiled.missing()
