"""Which tests each of make's commands runs, and how long the folders took."""

from collections import defaultdict
from collections.abc import Iterable

import pytest

TIERS = ("quick", "all", "long")
"""Of ``make test``, of ``make test-all`` beyond it, and of ``make test-long`` beyond both."""
QUICK_FOLDERS = ("unit", "docs")
"""Tests in these are quick, those in the others of the tier ``all``, unless a mark says otherwise."""
BUDGETS = {
    "quick": {"unit": 550, "docs": 60, "native": 240, "faults": 240},
    "all": {
        "unit": 250,
        "native": 2200,
        "faults": 1200,
        "batch": 1450,
        "container": 1750,
        "install": 300,
        "docs": 110,
    },
}
"""Seconds of tests, added up over their processes, in .ci/run on two cores that do nothing else."""


def tier(item: pytest.Item) -> str:
    """Return the tier of a test: its own mark, the last of several, else its module's, else its folder's."""
    for marks in (item.own_markers, item.iter_markers()):
        if found := [mark.name for mark in marks if mark.name in TIERS]:
            return max(found, key=TIERS.index)
    return "quick" if folder(item.nodeid) in QUICK_FOLDERS else "all"


def folder(nodeid: str) -> str:
    """Return the folder of tests/ that a test is in."""
    return nodeid.split("/")[1]


def select(items: list[pytest.Item], wanted: str | None) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return the tests to run and the others; without a tier, all but the long ones run."""
    chosen = [item for item in items if tier(item) == wanted or (wanted is None and tier(item) != "long")]
    kept = set(chosen)
    return chosen, [item for item in items if item not in kept]


def seconds(reports: Iterable[pytest.TestReport]) -> dict[str, float]:
    """Return how long the tests of each folder took, what they set up included, added up."""
    found: dict[str, float] = defaultdict(float)
    for report in reports:
        found[folder(report.nodeid)] += report.duration
    return dict(found)


def table(found: dict[str, float], tests: dict[str, int], wanted: str | None) -> list[str]:
    """Return the lines that say how long each folder took, and which took more than was meant."""
    budgets = BUDGETS.get(wanted or "", {})
    lines = []
    for name in sorted(found, key=lambda one: -found[one]):
        line = f"{name:<10}{tests.get(name, 0):>6} tests{found[name]:>8.0f} s"
        if (budget := budgets.get(name)) is not None:
            line += f"  of {budget} s" + (" MORE THAN MEANT" if found[name] > budget else "")
        lines.append(line)
    return lines
