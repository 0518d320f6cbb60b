"""Compile the optional kernel of the likelihood into the wheel: hatchling calls this when it builds one.

The kernel is all of ``src/espei_hpc/likelihood/compiled/*.pyx``. If it cannot be compiled, the wheel is built
without it, and one line says why. ``ESPEI_HPC_COMPILED=require`` makes that an error; ``=no`` leaves
it out, and so does ``=0``, which a fit takes as well.

Its results must be those of ESPEI and pycalphad bit for bit, hence ``FLAGS``: no operations are fused or
reordered. They are last on the compiler's command line, so that CFLAGS of a site cannot change that.
"""

import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "espei_hpc.likelihood.compiled"
SOURCE = Path("src", *PACKAGE.split("."))
CACHE = Path("build", "compiled")
NOT_WANTED = ("no", "0")
FLAGS = ("-O2", "-ffp-contract=off", "-fno-fast-math", "-g0")
PACKAGES = ("cython", "setuptools", "numpy", "scipy", "pycalphad")
"""They compile it, or have headers and declarations that it uses."""
VARIABLES = ("CC", "CXX", "CFLAGS", "CPPFLAGS", "CXXFLAGS", "LDFLAGS", "LDSHARED", "ARCHFLAGS")
"""Variables that setuptools takes into account."""
LONGEST = 160
"""Characters of an error."""
COMPILER = "apt-get install g++ python3-dev, or your system's packages for them, then install again"
LOCKED = "install lock/build.txt and lock/espei-hpc.txt as make does, then this with --no-build-isolation"


class NotCompiled(Exception):
    """The kernel cannot be compiled.

    Args:
        reason: what is missing or failed.
        cure: how to get it.
    """

    def __init__(self, reason: str, cure: str) -> None:
        super().__init__(f"{reason}. To compile it: {cure}")


class CompiledKernel(BuildHookInterface[Any]):
    """Adds the compiled kernel to a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, or take what an earlier build has compiled from the same sources with the same tools."""
        wanted = os.environ.get("ESPEI_HPC_COMPILED") or "auto"
        if wanted not in ("auto", "require", *NOT_WANTED):
            self.app.abort(f"espei-hpc: ESPEI_HPC_COMPILED={wanted}: set it to require or no, or unset it")
        root = Path(self.root)
        if wanted in NOT_WANTED or version == "editable" or not list((root / SOURCE).glob("*.pyx")):
            return
        try:
            modules = _compiled(root)
        except (NotCompiled, OSError) as error:
            if wanted == "require":
                self.app.abort(
                    f"espei-hpc: ESPEI_HPC_COMPILED=require, but the kernel is not compiled: {error}"
                )
            self.app.display_warning(f"espei-hpc: built without the compiled kernel (slower): {error}")
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        for module in modules:
            build_data["force_include"][str(module)] = f"{PACKAGE.replace('.', '/')}/{module.name}"


def _compiled(root: Path) -> list[Path]:
    """Return the compiled modules."""
    cache = root / CACHE
    known = cache / _key(root, _tools())
    if not known.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="unfinished-") as place:
            _compile(root, Path(place), cache / "errors.log")
            try:
                (Path(place) / "modules").rename(known)
            except OSError:
                # Another build of the same was faster.
                if not known.exists():
                    raise
    return sorted(known.iterdir())


def _tools() -> list[str]:
    """Return the versions of what compiles the kernel.

    Raises:
        NotCompiled: if something is missing.
    """
    versions = {name: _version(name) for name in PACKAGES}
    if lacking := [name for name, found in versions.items() if found is None]:
        raise NotCompiled(f"{', '.join(lacking)} not found", LOCKED)
    compilers = list(_compilers())
    if lacking := [name for name in compilers if shutil.which(name) is None]:
        raise NotCompiled(f"{' and '.join(lacking)} not found", COMPILER)
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        raise NotCompiled("Python.h not found", COMPILER)
    return [*map(str, versions.values()), *map(_first_line, compilers)]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _compilers() -> Iterator[str]:
    """Return the programs that compile C and C++, as setuptools chooses them."""
    for name in ("CC", "CXX"):
        yield shlex.split(os.environ.get(name) or str(sysconfig.get_config_var(name)))[0]


def _key(root: Path, tools: list[str]) -> str:
    """Return a name that differs for all that the result depends on."""
    sources = sorted(path for path in (root / SOURCE).iterdir() if path.is_file() and path.suffix != ".py")
    parts = {
        "this": Path(__file__).read_text(),
        "sources": [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in sources],
        "tools": tools,
        "python": (sys.version, platform.machine(), sysconfig.get_config_var("EXT_SUFFIX")),
        "variables": [os.environ.get(name) for name in VARIABLES],
    }
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _first_line(compiler: str) -> str:
    done = subprocess.run([compiler, "--version"], capture_output=True, text=True)
    return done.stdout.partition("\n")[0]


def _compile(root: Path, place: Path, log: Path) -> None:
    """Compile into ``modules`` of a directory, in a process of its own, whose output is kept."""
    command = [sys.executable, str(Path(__file__).resolve()), str(place)]
    done = subprocess.run(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    if done.returncode:
        log.write_text(done.stdout)
        raise NotCompiled(f"{_what_failed(done.stdout.splitlines())} (all of it: {log})", COMPILER)


def _what_failed(lines: Iterable[str]) -> str:
    """Return the first line that names an error, of a compiler or of Cython; else the last one."""
    filled = ["it failed", *(line.strip() for line in lines if line.strip())]
    named = (line for line in filled if "error: " in line or ".pyx:" in line)
    return textwrap.shorten(next(named, filled[-1]), LONGEST, placeholder=" …")


def main(place: Path) -> None:
    """Compile the modules of the sources below the working directory into ``place/modules``."""
    # setuptools first: with it comes distutils, which Cython imports.
    from setuptools import Distribution, Extension
    from setuptools.errors import CCompilerError

    # isort: split
    import numpy
    from Cython.Build import cythonize

    extensions = [
        Extension(
            f"{PACKAGE}.{path.stem}",
            [str(path)],
            include_dirs=[numpy.get_include(), str(SOURCE)],
            define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
            extra_compile_args=[*FLAGS],
            extra_link_args=["-Wl,--strip-all"],
        )
        for path in sorted(SOURCE.glob("*.pyx"))
    ]
    modules = cythonize(extensions, build_dir=str(place), include_path=["src"], language_level=3)
    build = Distribution({"name": PACKAGE, "ext_modules": modules}).get_command_obj("build_ext")
    build.build_lib, build.build_temp = str(place / "lib"), str(place / "objects")
    build.ensure_finalized()
    try:
        build.run()
    except CCompilerError as error:
        sys.exit(f"error: {error}")
    (place / "lib" / Path(*PACKAGE.split("."))).rename(place / "modules")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
