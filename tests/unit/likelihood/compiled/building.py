"""Builds of the kernel for tests: with a wrong line, or with a sanitizer."""

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np

from espei_hpc.likelihood import compiled
from support import ROOT

PACKAGE = "espei_hpc.likelihood.compiled"
MODULES = ("solver", "point")
"""Of the kernel, in the order of their imports."""
FLAGS = ("-shared", "-fPIC", "-O2", "-ffp-contract=off", "-DNPY_NO_DEPRECATED_API=NPY_1_7_API_VERSION")
"""As in the build of the package."""


def source(module: str) -> str:
    """Return the source of a module of the kernel."""
    return (ROOT / "src" / "espei_hpc" / "likelihood" / "compiled" / f"{module}.pyx").read_text()


def build(directory: Path, module: str, text: str, flags: Sequence[str] = ()) -> Path:
    """Compile a module's source, which may be changed; return the extension module."""
    pyx, cpp = directory / f"{module}.pyx", directory / f"{module}.cpp"
    pyx.write_text(text)
    built = directory / f"{module}{sysconfig.get_config_var('EXT_SUFFIX')}"
    # Without the name of the package, Cython would take it for a module of its own.
    name = ["--module-name", f"{PACKAGE}.{module}"]
    cython = [sys.executable, "-m", "cython", "--cplus", *name, "-o", str(cpp), str(pyx)]
    subprocess.run(cython, check=True)
    include = [f"-I{sysconfig.get_path('include')}", f"-I{np.get_include()}"]
    subprocess.run(["g++", *FLAGS, *flags, *include, str(cpp), "-o", str(built)], check=True)
    return built


def copied(directory: Path, module: str) -> Path:
    """Copy an installed module: from the same file it would be loaded but once in a process."""
    installed = Path(str(import_module(f"{PACKAGE}.{module}").__file__))
    return Path(shutil.copy(installed, directory))


def load(*built: Path) -> None:
    """Use all modules of the kernel from files in this process, in the order of their imports."""
    for path in built:
        name = f"{PACKAGE}.{path.name.split('.')[0]}"
        spec = spec_from_file_location(name, path, loader=ExtensionFileLoader(name, str(path)))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    assert not compiled.missing()
