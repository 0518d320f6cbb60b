"""The table of faults at the end of a test session: row, promise, bound, measured."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from support import ROOT

PAGE = ROOT / "docs" / "reliability.md"
FEWEST = 5
"""Fewer rows are somebody trying single tests."""


@dataclass(frozen=True)
class Row:
    """A row of the page's table."""

    number: int
    what: str
    promise: str
    bound: str


def rows() -> list[Row]:
    """Return the rows of docs/reliability.md."""
    promised = PAGE.read_text().partition("\n## ")[0]
    table = re.findall(r"^\| (\d+) \| (.+) \| (.+) \| (.+) \|$", promised, re.MULTILINE)
    return [Row(int(number), *words) for number, *words in table]


def row_of(test: str) -> int | None:
    """Return the row that a test holds, by its name."""
    match = re.search(r"::test_fault_(\d\d)_", test)
    return int(match[1]) if match else None


def lines(passed: Iterable[tuple[str, float]]) -> list[str]:
    """Return the table's lines.

    Args:
        passed: tests that have passed, and how long each took, s.
    """
    took: dict[int, list[float]] = {}
    for test, seconds in passed:
        if (row := row_of(test)) is not None:
            took.setdefault(row, []).append(seconds)
    if len(took) < FEWEST:
        return []
    head = f"{'row':>3}  {'promise':<70}  {'bound':<36}  {'tests':>5}  longest, s"
    body = [
        f"{row.number:>3}  {row.promise[:70]:<70}  {row.bound[:36]:<36}  {len(took[row.number]):>5}  "
        f"{max(took[row.number]):.1f}"
        for row in rows()
        if row.number in took
    ]
    return [head, *body]
