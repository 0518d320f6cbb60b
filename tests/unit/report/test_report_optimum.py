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


def written(directory: Path, **changes: Any) -> list[str]:
    content = {
        "database": str(EXAMPLE / "cu-mg_start.tdb"),
        "symbols": ["VV0000", "VV0004"],
        "initial": [-28500.0, 4.76],
        "parameters": [-27000.0, 5.0],
        "errors": [600.0, None],
        "covariance": [[360000.0, 399.0], [399.0, 0.49]],
        "promised": 1e-6,
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


@pytest.mark.parametrize(("promised", "said"), [(0.05, False), (5.69, True)])
def test_best_fit_at_an_edge_is_said_to_be_one_with_what_to_do(
    tmp_path: Path, promised: float, said: bool
) -> None:
    printed = "\n".join(written(tmp_path, promised=promised))
    assert ("without the jump the log-probability could rise by 5.7\n" in printed) == said
    assert ("sample with --sampler de, then search again with --force-new --database" in printed) == said


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
