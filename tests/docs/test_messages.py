"""The messages that the documents explain are those that are printed."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from support import ROOT

UPSTREAM = {
    "not enough slots available": "mpirun of Open MPI",
    "Bus error": "the kernel, through bash",
    "PMIX ERROR": "Open MPI",
    "CANCELLED": "Slurm",
    "DUE TO TIME LIMIT": "Slurm",
    "qsub: Bad UID for job execution": "qsub of OpenPBS",
}
"""Messages that are not ours, and who says them."""
STATES = r"^(?:warning|fault): "
"""What the doctor puts before a line."""
HOLE = "…"
"""Stands for what differs from case to case, in the documents and here in the sources."""


def explained(document: str) -> list[str]:
    """Return the messages of the table of a document, in its order."""
    table = (ROOT / document).read_text().split("| what you see |")[1].split("\n\n")[0]
    firsts = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)
    return [message for first in firsts for message in re.findall(r"`([^`]+)`", first)]


EXPLAINED = explained("docs/troubleshooting.md")


@pytest.mark.parametrize("message", sorted(set(EXPLAINED) - set(UPSTREAM)))
def test_message_that_is_explained_is_printed(message: str) -> None:
    general = re.sub(r"\b\d+\b", HOLE, re.sub(r"'[^']*'", f"'{HOLE}'", re.sub(STATES, "", message)))
    parts = general.split(": ")
    assert any(all(_printed(part, texts) for part in parts) for texts in _sources()), parts


def test_messages_of_others_are_explained_too() -> None:
    assert set(UPSTREAM) <= set(EXPLAINED)


def _printed(part: str, texts: str) -> bool:
    """Whether a source has a part of a message, in one text or in one that is put before another."""
    cuts = [found.start() for found in re.finditer(" ", part)]
    return part in texts or any(part[:cut] in texts and HOLE + part[cut:] in texts for cut in cuts)


@cache
def _sources() -> list[str]:
    """Return the texts in each of our sources."""
    modules = [_texts(path) for path in (ROOT / "src").rglob("*.py")]
    templates = (ROOT / "src" / "espei_hpc" / "batch" / "scripts" / "templates").rglob("*.j2")
    scripts = [path.read_text() for path in (*(ROOT / "entrypoints").iterdir(), *templates)]
    return modules + [re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE) for text in scripts]


def _texts(module: Path) -> str:
    """Return the texts of a module, a line each, without what is there for its readers."""
    tree = list(ast.walk(ast.parse(module.read_text())))
    for_readers = {id(node.value) for node in tree if isinstance(node, ast.Expr)}
    return "\n".join(_text(node) for node in tree if id(node) not in for_readers)


def _text(node: ast.AST) -> str:
    """Return a text as it is written in the source, with a hole for each value that is put in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or HOLE for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
