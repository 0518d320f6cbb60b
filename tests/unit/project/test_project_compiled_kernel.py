"""The kernel is compiled into the wheel where it can be, and is never needed to build one."""

import os
import shutil
import subprocess
import sysconfig
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import BIN, ROOT

KERNEL = "espei_hpc/likelihood/compiled"
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "espei-hpc"
version = "0.1.0"
requires-python = ">=3"
[tool.hatch.build.targets.wheel]
packages = ["src/espei_hpc"]
[tool.hatch.build.targets.wheel.hooks.custom]
"""
TINY = """
def multiply_add(double a, double b, double c):
    return a * b + c
def add_and_subtract(double a, double b):
    return (a + b) - a
"""
DECLARED_ELSEWHERE = """# distutils: language = c++
cimport numpy
from pycalphad.core.composition_set cimport CompositionSet
from scipy.linalg.cython_lapack cimport dgetrf
"""
# Each of the two would change a last digit of what TINY computes.
SITE_FLAGS = "-O3 -ffast-math" + (" -mfma" if os.uname().machine == "x86_64" else "")
SUFFIX = str(sysconfig.get_config_var("EXT_SUFFIX"))
LINE = "espei-hpc: built without the compiled kernel (slower): "
PACKAGES = "apt-get install g++ python3-dev"
compiler = pytest.mark.needs("C++ compiler")


@dataclass
class Build:
    """How a build ended.

    Attributes:
        code: exit code.
        lines: what it said, without the name of the wheel.
        wheels: what it left.
    """

    code: int
    lines: list[str]
    wheels: list[Path]

    @property
    def kernel(self) -> list[str]:
        """The compiled modules in the wheel."""
        with zipfile.ZipFile(self.wheels[0]) as wheel:
            return [name for name in wheel.namelist() if name.endswith(".so")]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with this one's hook and a kernel of two functions."""
    return write_project(tmp_path / "project")


def write_project(place: Path, source: str = TINY) -> Path:
    """Write such a project."""
    kernel = place / "src" / KERNEL
    kernel.mkdir(parents=True)
    shutil.copy(ROOT / "hatch_build.py", place)
    (place / "pyproject.toml").write_text(PROJECT)
    (place / "src/espei_hpc/__init__.py").touch()
    (kernel / "tiny.pyx").write_text(source)
    return place


def build(project: Path, variables: Mapping[str, str] | None = None) -> Build:
    """Build the project's wheel with variables set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ESPEI_HPC_")}
    shutil.rmtree(project / "dist", ignore_errors=True)
    done = subprocess.run(
        [BIN / "python", "-m", "hatchling", "build", "--target", "wheel"],
        cwd=project,
        env=kept | dict(variables or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = [line for line in done.stdout.splitlines() if not line.endswith(".whl")]
    return Build(done.returncode, lines, list((project / "dist").glob("*.whl")))


def without(place: Path, code: str) -> dict[str, str]:
    """Return settings of a Python that runs code at its start, such as one that hides something from it."""
    place.mkdir()
    (place / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": str(place)}


def counting(place: Path) -> dict[str, str]:
    """Return settings with compilers that note what they compile in ``calls``."""
    found = {}
    for name, program in {"CC": "cc", "CXX": "c++"}.items():
        script = place / program
        script.write_text(f'#!/bin/sh\necho "$*" >>{place}/calls\nexec {shutil.which(program)} "$@"\n')
        script.chmod(0o755)
        found[name] = str(script)
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The wheel of the tiny kernel, made at a site whose flags would change its last digits."""
    project = write_project(tmp_path_factory.mktemp("kernel") / "project", DECLARED_ELSEWHERE + TINY)
    return build(project, {"CFLAGS": SITE_FLAGS, "CXXFLAGS": SITE_FLAGS, "ESPEI_HPC_COMPILED": "require"})


@compiler
def test_wheel_has_the_kernel_where_there_is_a_compiler(built: Build) -> None:
    assert (built.code, built.lines) == (0, [])
    assert built.kernel == [f"{KERNEL}/tiny{SUFFIX}"]
    (wheel,) = built.wheels
    assert wheel.name.startswith("espei_hpc-0.1.0-cp3")
    assert "linux" in wheel.name


@compiler
def test_kernel_rounds_every_operation_whatever_flags_a_site_has(built: Build, tmp_path: Path) -> None:
    with zipfile.ZipFile(built.wheels[0]) as wheel:
        wheel.extractall(tmp_path)
    small = 2.0**-30
    asked = f"""
import sys
sys.path.insert(0, {str(tmp_path / KERNEL)!r})
from tiny import add_and_subtract, multiply_add
print(multiply_add(1 + {small}, 1 - {small}, -1.0), add_and_subtract(1e16, 0.3))
"""
    done = subprocess.run([BIN / "python", "-c", asked], capture_output=True, text=True, check=True)
    # Fused it would be -2**-60, and with associative sums 0.3.
    assert done.stdout.split() == ["0.0", "0.0"]


@compiler
def test_kernel_is_compiled_again_only_if_its_source_has_changed(project: Path, tmp_path: Path) -> None:
    settings, calls = counting(tmp_path), tmp_path / "calls"

    def compiled() -> int:
        number = len([line for line in calls.read_text().splitlines() if " -c " in line])
        calls.unlink()
        return number

    first = build(project, settings)
    assert (first.kernel, compiled()) == ([f"{KERNEL}/tiny{SUFFIX}"], 1)
    (project / "src/espei_hpc/__init__.py").write_text('"""Changed."""\n')
    second = build(project, settings)
    assert (second.kernel, compiled()) == (first.kernel, 0)
    (project / "src" / KERNEL / "tiny.pyx").write_text(TINY + "answer = 42\n")
    assert (build(project, settings).kernel, compiled()) == (first.kernel, 1)


@pytest.mark.parametrize(
    ("lacking", "reason"),
    [
        pytest.param({"CXX": "no-such-compiler"}, "no-such-compiler not found", id="C++ compiler"),
        pytest.param({"PATH": "/nowhere"}, " not found", id="any compiler"),
        pytest.param(
            {"CC": "false", "CXX": "false"},
            "error: ",
            id="a compiler that works",
            marks=compiler,
        ),
    ],
)
def test_without_a_compiler_the_wheel_is_pure_and_one_line_says_what_to_install(
    project: Path, lacking: dict[str, str], reason: str
) -> None:
    made = build(project, lacking)
    assert made.code == 0, made.lines
    assert made.wheels[0].name == "espei_hpc-0.1.0-py3-none-any.whl"
    assert made.kernel == []
    (line,) = made.lines
    assert line.startswith(LINE)
    assert reason in line
    assert PACKAGES in line


NO_HEADERS = "import sysconfig; sysconfig.get_path = lambda *_: '/nowhere'"
NO_CYTHON = """
import importlib.metadata as metadata
def version(name, version=metadata.version):
    if name == "cython":
        raise metadata.PackageNotFoundError(name)
    return version(name)
metadata.version = version
"""


@compiler
def test_without_headers_of_python_the_line_names_them(project: Path, tmp_path: Path) -> None:
    made = build(project, without(tmp_path / "python", NO_HEADERS))
    assert made.kernel == []
    assert made.lines[0].startswith(f"{LINE}Python.h not found")
    assert PACKAGES in made.lines[0]


def test_without_cython_the_line_names_the_lock(project: Path, tmp_path: Path) -> None:
    made = build(project, without(tmp_path / "python", NO_CYTHON))
    assert made.kernel == []
    assert made.lines[0].startswith(f"{LINE}cython not found")
    assert "lock/build.txt" in made.lines[0]


@compiler
def test_kernel_that_does_not_compile_is_left_out_with_the_error(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", TINY + "cimport no_such_module\n")
    made = build(project)
    assert made.code == 0, made.lines
    assert made.kernel == []
    (line,) = made.lines
    assert "no_such_module" in line
    assert "no_such_module" in (project / "build/compiled/errors.log").read_text()


def test_required_kernel_that_cannot_be_compiled_ends_the_build_with_the_reason(project: Path) -> None:
    made = build(project, {"CXX": "no-such-compiler", "ESPEI_HPC_COMPILED": "require"})
    assert made.code != 0
    assert made.wheels == []
    (line,) = made.lines
    assert line.startswith("espei-hpc: ESPEI_HPC_COMPILED=require, but ")
    assert "no-such-compiler not found" in line
    assert PACKAGES in line


@pytest.mark.parametrize("wish", ["no", "0"])
def test_kernel_that_is_not_wanted_is_left_out_silently(project: Path, wish: str) -> None:
    made = build(project, {"ESPEI_HPC_COMPILED": wish})
    assert (made.code, made.lines, made.kernel) == (0, [], [])
    assert not (project / "build").exists()


def test_misspelt_wish_is_refused(project: Path) -> None:
    made = build(project, {"ESPEI_HPC_COMPILED": "required"})
    assert made.code != 0
    assert made.lines == ["espei-hpc: ESPEI_HPC_COMPILED=required: set it to require or no, or unset it"]


def test_project_without_a_kernel_has_a_pure_wheel(project: Path) -> None:
    (project / "src" / KERNEL / "tiny.pyx").unlink()
    made = build(project, {"ESPEI_HPC_COMPILED": "require"})
    assert (made.code, made.lines, made.kernel) == (0, [], [])


def test_make_installs_again_where_a_compiler_has_come_since(tmp_path: Path) -> None:
    def up_to_date(kernel: str) -> bool:
        words = ["make", "--question", "environment", f"ENVIRONMENT={tmp_path}", f"kernel={kernel}"]
        return subprocess.run(words, cwd=ROOT, capture_output=True).returncode == 0

    for name in (".locked", ".kernel-without", ".installed"):
        (tmp_path / name).touch()
    assert up_to_date("without")
    assert not up_to_date("auto")
