"""The documents of the project: their links, headings and blocks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support import ROOT

PAGES = sorted((ROOT / "docs").glob("*.md"))
OTHERS = [
    ROOT / name
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "bench/results.md",
        "examples/cu-mg/README.md",
        "host-mpi/README.md",
    )
] + sorted(ROOT.glob("*-examples/README.md"))
DOCUMENTS = PAGES + OTHERS
RUN = "<!-- run -->"
"""Stands before a block that is run."""
_BLOCK = re.compile(
    rf"^(?P<run>{RUN}\n)?```(?P<language>[a-z]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    document: Path
    language: str
    text: str
    run: bool

    def __str__(self) -> str:
        return f"{self.document.name}: {self.text.splitlines()[0]}"


def blocks(document: Path) -> list[Block]:
    """Return all fenced blocks of a document."""
    return [
        Block(document, found["language"], found["text"], bool(found["run"]))
        for found in _BLOCK.finditer(document.read_text())
    ]


def fences(document: Path) -> list[str]:
    """Return all lines that begin or end a block, as Markdown has it, indented or not."""
    return re.findall(r"^\s*(?:```|~~~).*$", document.read_text(), re.MULTILINE)


def marks(document: Path) -> int:
    """Return how many blocks are marked to be run."""
    return document.read_text().splitlines().count(RUN)


def prose(document: Path) -> str:
    """Return a document's text without its blocks and code."""
    return re.sub(r"`[^`\n]*`", "code", _BLOCK.sub("", document.read_text()))


def links(document: Path) -> list[str]:
    """Return where the links and pictures of a document lead."""
    text = prose(document)
    return [*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r"(?:href|src)=\"([^\"]*)\"", text)]


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as they are made from them."""
    headings = re.findall(r"^#+ +(.*)$", _BLOCK.sub("", document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def lines_of(block: Block) -> Iterator[str]:
    """Return the commands of a bash block, a line each, those that go on in the next put together."""
    for line in block.text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.strip().startswith("#"):
            yield line.strip()
