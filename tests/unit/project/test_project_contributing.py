"""CONTRIBUTING.md names nothing that is not there."""

import re
import shlex
from pathlib import Path

import pytest

from docs.documents import blocks, lines_of
from espei_hpc.cli import commands
from support import ROOT

PAGE = ROOT / "CONTRIBUTING.md"
MAKEFILES = [ROOT / "Makefile", *ROOT.glob("*.mk")]
TARGETS = {
    target for file in MAKEFILES for target in re.findall(r"^([a-z][\w-]*):", file.read_text(), re.MULTILINE)
}
FILE = re.compile(r"\.?[\w-]+(\.[\w-]+)*(/[\w.*-]+)*/?")
ENDINGS = {".cff", ".def", ".md", ".mk", ".py", ".toml", ".txt", ".yaml", ".yml"}


def _code() -> list[list[str]]:
    """Return the words of each piece of code on the page, in its text and in its blocks."""
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", PAGE.read_text(), flags=re.M | re.S))
    block_lines = [line for block in blocks(PAGE) for line in lines_of(block)]
    return [_words(text) for text in [*inline, *block_lines]]


def _words(text: str) -> list[str]:
    """Return the words of a command, without variables set before it."""
    words = shlex.split(text.replace("`", ""))
    while words and re.fullmatch(r"[A-Z_0-9]+=.*", words[0]):
        words = words[1:]
    return words


def _is_path(word: str) -> bool:
    # What is installed is not part of the project.
    named = "/" in word or Path(word).suffix in ENDINGS
    return named and bool(FILE.fullmatch(word)) and not word.startswith(".venv")


CODE = _code()
PATHS = sorted({word for words in CODE for word in words if _is_path(word)})
MADE = sorted({word for words in CODE if words[:1] == ["make"] for word in words[1:] if "=" not in word})
ASKED = sorted({words[1] for words in CODE if words[:1] == ["espei-hpc"] and len(words) > 1})


@pytest.mark.parametrize("path", PATHS)
def test_every_path_that_is_named_is_there(path: str) -> None:
    assert list(ROOT.glob(path.rstrip("/")))


@pytest.mark.parametrize("target", MADE)
def test_every_target_of_make_that_is_named_is_one(target: str) -> None:
    assert target in TARGETS


@pytest.mark.parametrize("command", ASKED)
def test_every_command_that_is_named_is_one(command: str) -> None:
    assert command in commands.commands
