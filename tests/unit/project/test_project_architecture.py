"""docs/architecture.md says what the packages are, and what is in a run directory."""

import ast
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator

import pytest

from support import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()
SOURCE = ROOT / "src" / "espei_hpc"
PACKAGES = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
MODULES = {path.stem for path in SOURCE.glob("*.py")} - {"__init__", "__main__"}


def _first_column(heading: str, title: str) -> list[str]:
    """Return what the first column of a table below a heading names, from top to bottom."""
    below = PAGE.split(f"# {heading}\n")[1].split(f"| {title} |")[1]
    table = re.split(r"^$", below, flags=re.MULTILINE)[0]
    cells = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


LISTED = _first_column("The rooms", "package")
LISTED_MODULES = _first_column("The rooms", "module")
ORDER = [*LISTED_MODULES, *LISTED]
FILES = _first_column("The run directory", "file")


def test_every_package_is_listed_once() -> None:
    assert sorted(LISTED) == sorted(PACKAGES)


def test_every_module_beside_the_packages_is_listed_once() -> None:
    assert sorted(LISTED_MODULES) == sorted(MODULES)


@pytest.mark.parametrize("part", sorted(PACKAGES | MODULES))
def test_part_imports_from_those_above_it_alone(part: str) -> None:
    assert set(_imported(part)) <= set(ORDER[: ORDER.index(part)])


def _imported(part: str) -> Iterator[str]:
    """Return the other packages and modules of ours that one imports from, at once or later."""
    own = (SOURCE / part).rglob("*.py") if part in PACKAGES else [SOURCE / f"{part}.py"]
    for path in own:
        for node in ast.walk(ast.parse(path.read_text())):
            for name in _modules(node):
                other = f"{name}.".split(".")[1]
                if name.startswith("espei_hpc.") and other not in {part, "__version__"}:
                    yield other


def test_class_name_stands_once() -> None:
    names = Counter(
        node.name.lstrip("_")
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, times in names.items() if times > 1] == []


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


@pytest.mark.parametrize("file", FILES)
def test_every_file_of_a_run_directory_that_is_listed_is_one(file: str) -> None:
    name = file.rstrip("/").rpartition("/")[2]
    # What differs from one file to the next is written in capitals.
    pattern = re.sub(r"[A-Z]+", r"\\{\\w+\\}", re.escape(name))
    # A plain word may mean anything but below a directory, or as the value of a constant.
    before = r"[\"/{,]" if "." in name else r"(/|/ \"|[A-Z] = \")"
    texts = [path.read_text() for path in [*SOURCE.rglob("*.py"), ROOT / "entrypoints" / "espei-mpi"]]
    assert any(re.search(rf'{before}{pattern}["\s,}}]', text) for text in texts)


def test_drawing_loads_nothing_and_runs_nothing() -> None:
    drawing = ElementTree.parse(ROOT / "docs" / "architecture.svg")
    names = {element.tag.rpartition("}")[2] for element in drawing.iter()}
    assert names.isdisjoint({"script", "image", "foreignObject", "a", "use"})
    text = (ROOT / "docs" / "architecture.svg").read_text()
    assert re.findall(r"https?://[^\s\"']+", text) == ["http://www.w3.org/2000/svg"]
