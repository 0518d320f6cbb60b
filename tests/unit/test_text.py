"""One thing is one thing in every message."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from espei_hpc.text import counted
from support import ROOT

NOUNS = ("workers", "iterations", "symbols")
"""Of what there may well be one."""


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 workers"), (1, "1 worker"), (1.0, "1 worker"), (2, "2 workers")]
)
def test_noun_is_that_of_the_number(number: float, text: str) -> None:
    assert counted(number, "worker") == text


def _plurals_of_any_number(module: Path) -> Iterator[str]:
    """Return where a text has a plural after whatever whole number is put in."""
    for text in ast.walk(ast.parse(module.read_text())):
        if not isinstance(text, ast.JoinedStr):
            continue
        for number, after in zip(text.values, text.values[1:], strict=False):
            if isinstance(number, ast.FormattedValue) and number.format_spec is None:
                words = str(after.value) if isinstance(after, ast.Constant) else ""
                if re.match(rf" ({'|'.join(NOUNS)})\b", words):
                    yield f"{module.name}: {ast.unparse(text)}"


def test_no_message_has_a_plural_whatever_the_number() -> None:
    found = [text for path in (ROOT / "src").rglob("*.py") for text in _plurals_of_any_number(path)]
    assert not found, "\n".join(found)
