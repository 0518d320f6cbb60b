"""The best fit in words."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from espei_hpc.errors import Refusal
from espei_hpc.report import optimum
from espei_hpc.rundir.run_directory import OPTIMUM
from support import EXAMPLE


@pytest.mark.parametrize(
    ("names", "change", "words"),
    [
        (["VV1"], [1.0], "VV1: no datum depends on it"),
        (["VV1", "VV2"], [1.0, -1.0], "VV1 and VV2 only as their sum"),
        (["VV1", "VV2"], [1.0, 1.001], "VV1 and VV2 only as their difference"),
        (["VV1", "VV2"], [1.0, -1200.0], "VV1 and VV2 only as VV2 + 1.2e+03 VV1"),
        (["VV1", "VV2"], [1.0, 0.5], "VV1 and VV2 only as VV2 - 0.5 VV1"),
        (
            ["A", "B", "C"],
            [1.0, 2.0, -3.0],
            "A, B, C only together: a change of A by 1, B by 2, C by -3 changes no datum",
        ),
    ],
)
def test_direction_is_told_in_words(names: list[str], change: list[float], words: str) -> None:
    assert optimum.in_words(names, change) == words


def written(directory: Path, **changes: Any) -> list[str]:
    content = {
        "database": str(EXAMPLE / "cu-mg_start.tdb"),
        "symbols": ["VV0000", "VV0004"],
        "initial": [-28500.0, 4.76],
        "parameters": [-27000.0, 5.0],
        "errors": [600.0, None],
        "covariance": [[360000.0, 399.0], [399.0, 0.49]],
        "undetermined": [{"members": [1], "change": [1.0]}],
        "units": ["phase region 1 (A 1999)", "phase region 2 (A 1999)", "activity dataset 1, part 1 (B)"],
        "kinds": ["phase boundaries", "phase boundaries", "activity"],
        "rows": {
            "unit": [0, 1, 2],
            "before": [3.0, 4.0, 1.0],
            "after": [0.3, 0.4, 0.1],
            "leverage": [0.5, 0.25, 0.25],
            "shares": [[0.5, 0.0], [0.4, 0.1], [0.1, 0.9]],
        },
    }
    (directory / OPTIMUM).write_text(json.dumps(content | changes))
    return optimum.lines(directory)


def line_of(lines: list[str], word: str) -> str:
    (line,) = [line for line in lines if word in line]
    return " ".join(line.split())


def test_symbols_have_value_error_unit_and_place(tmp_path: Path) -> None:
    lines = written(tmp_path)
    assert line_of(lines, "G(CUMG2,CU:MG;0)") == "VV0000 -28500 -27000 600 J/mol G(CUMG2,CU:MG;0)"
    assert "not determined" in line_of(lines, "L(LIQUID,CU,MG;0), temperature")
    assert "not determined: VV0004: no datum depends on it" in lines


def test_strong_correlation_is_named(tmp_path: Path) -> None:
    assert line_of(written(tmp_path), "correlated") == "correlated: VV0000 and VV0004, +0.950"


def test_datasets_have_differences_leverage_and_the_symbols_that_they_decide(tmp_path: Path) -> None:
    lines = written(tmp_path)
    rms = [f"{np.sqrt(25 / 2):.3g}", f"{np.sqrt(0.25 / 2):.3g}"]
    assert line_of(lines, "A 1999") == f"2 {' '.join(rms)} 0.75 phase boundaries, A 1999: VV0000"
    assert line_of(lines, "activity, B") == "1 1 0.1 0.25 activity, B: VV0004"


def test_start_that_was_impossible_has_no_differences(tmp_path: Path) -> None:
    rows = {"unit": [2], "before": None, "after": [0.1], "leverage": [1.0], "shares": [[0.1, 0.9]]}
    assert line_of(written(tmp_path, rows=rows), "activity, B").split()[1] == "-"


def test_directory_without_a_best_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no search for the best fit has ended there"):
        optimum.lines(tmp_path)
