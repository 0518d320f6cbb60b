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
    "CANCELLED": "Slurm",
    "DUE TO TIME LIMIT": "Slurm",
}
"""Messages that are not ours, and who says them."""
STATES = r"(?:warning|fault): "
"""What the doctor puts before a line."""
VARIABLE = r"…|'[^']*'|\b\d+\b|: "
"""What parts the fixed words of a message: what differs from case to case, and what is put together."""


def explained(document: str) -> list[str]:
    """Return the messages of the table of a document, in its order."""
    table = (ROOT / document).read_text().split("| what you see |")[1].split("\n\n")[0]
    firsts = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)
    return [message for first in firsts for message in re.findall(r"`([^`]+)`", first)]


EXPLAINED = explained("docs/troubleshooting.md")


@pytest.mark.parametrize("message", sorted(set(EXPLAINED) - set(UPSTREAM)))
def test_message_that_is_explained_is_printed(message: str) -> None:
    fixed = [words.strip(" ,") for words in re.split(VARIABLE, re.sub(f"^{STATES}", "", message))]
    wanted = [words for words in fixed if words]
    assert wanted
    assert any(all(_printed(words, texts) for words in wanted) for texts in _sources()), wanted


def test_messages_of_others_are_explained_too() -> None:
    assert set(UPSTREAM) <= set(EXPLAINED)


def test_readme_and_page_explain_the_same_messages() -> None:
    assert explained("README.md") == EXPLAINED


def _printed(words: str, texts: str) -> bool:
    """Whether a source has the words, in one text or in two that are put together."""
    cuts = [found.start() for found in re.finditer(" ", words)]
    return words in texts or any(words[:cut] in texts and f" {words[cut:].strip()}" in texts for cut in cuts)


@cache
def _sources() -> list[str]:
    """Return the texts in each of our sources."""
    modules = [_texts(path) for path in (ROOT / "src").rglob("*.py")]
    scripts = [
        re.sub(r"^\s*#.*$", "", path.read_text(), flags=re.M) for path in (ROOT / "entrypoints").iterdir()
    ]
    return modules + scripts


def _texts(module: Path) -> str:
    """Return the texts of a module, a line each, without what is there for its readers."""
    tree = ast.parse(module.read_text())
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in said)
    return "\n".join(text.value for text in texts if isinstance(text.value, str))
