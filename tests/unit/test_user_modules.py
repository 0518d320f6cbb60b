"""Python modules of the user's: what is found, and what is refused."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from espei_hpc import user_code
from espei_hpc.errors import Refusal


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", list(sys.path))
    made = tmp_path / "code"
    made.mkdir()
    return made


def test_module_of_the_directory_can_be_imported(code: Path) -> None:
    (code / "models_of_ada.py").write_text("value = 7\n")
    user_code.use(code)
    assert importlib.import_module("models_of_ada").value == 7


@pytest.mark.parametrize("name", ["numpy.py", "espei/__init__.py", "json.py", "yaml.so"])
def test_module_with_the_name_of_an_installed_one_is_refused(name: str, code: Path) -> None:
    (code / name).parent.mkdir(exist_ok=True)
    (code / name).touch()
    with pytest.raises(Refusal, match=r"has the name of the installed module \w+, .*; rename it"):
        user_code.use(code)
    assert str(code) not in sys.path


def test_directory_may_be_named_twice(code: Path) -> None:
    (code / "models_of_bob.py").touch()
    user_code.use(code)
    importlib.import_module("models_of_bob")
    user_code.use(code)
    assert sys.path.count(str(code)) == 1


def test_directory_that_is_missing_is_refused(code: Path) -> None:
    with pytest.raises(Refusal, match="does not exist"):
        user_code.use(code / "none")


def test_what_can_be_imported_counts_and_nothing_else(code: Path) -> None:
    for name in ("a.py", "part/b.py", "part/c.so", "data/x.json", "x.tdb", ".venv/d.py", "x.run/e.py"):
        (code / name).parent.mkdir(exist_ok=True)
        (code / name).touch()
    os.symlink(code, code / "part" / "back")
    subprocess.run([sys.executable, "-m", "compileall", "-q", code], check=True)
    assert list(user_code.files(code)) == ["a.py", "part/b.py", "part/c.so"]
