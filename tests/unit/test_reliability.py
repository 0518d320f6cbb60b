"""docs/reliability.md promises what tests hold, and nothing else."""

import re
from pathlib import Path

from fault_table import lines, rows
from support import ROOT

TESTS = ROOT / "tests"


def _held() -> set[int]:
    texts = [path.read_text() for path in Path(TESTS).rglob("test_*.py")]
    return {int(number) for text in texts for number in re.findall(r"^def test_fault_(\d\d)_", text, re.M)}


def test_every_promised_row_is_held_by_a_test() -> None:
    assert [row.number for row in rows()] == list(range(1, 32))
    assert _held() == {row.number for row in rows()}


def test_table_at_the_end_has_a_line_for_each_row_that_was_tested() -> None:
    passed = [(f"tests/faults/test_x.py::test_fault_{number:02}_y", float(number)) for number in range(1, 8)]
    table = lines(
        [*passed, ("tests/faults/test_x.py::test_fault_03_z[a]", 9.0), ("tests/x.py::test_z", 99.0)]
    )
    assert [line.split()[0] for line in table] == ["row", *map(str, range(1, 8))]
    assert table[3].split()[-2:] == ["2", "9.0"]
