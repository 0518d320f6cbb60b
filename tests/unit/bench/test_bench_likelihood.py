"""What the bench says of the prepared likelihood."""

import importlib
from typing import Any

import numpy as np
import pytest


def test_a_difference_fails_the_bench(monkeypatch: pytest.MonkeyPatch) -> None:
    once = importlib.import_module("likelihood_once")

    class Differing:
        def __init__(self, recipe: Any, verify: int, *, kernel: bool = True) -> None:
            self.seconds: list[float] = []
            self._name = "same" if verify == 0 or not kernel else "other"

        def __call__(self, parameters: Any) -> str:
            self.seconds.append(1.0)
            return "0x1.0p+0" if len(self.seconds) < 5 else self._name

    monkeypatch.setattr(once, "Timed", Differing)
    monkeypatch.setattr(once.compiled, "missing", lambda: "")
    with pytest.raises(RuntimeError, match=r"at position 4: .*'prepared': 'same', 'kernel': 'other'"):
        once.compared(None, np.zeros((2, 1)))


def test_no_position_is_evaluated_twice() -> None:
    position = importlib.import_module("likelihoods").position
    walkers = np.random.default_rng(0).normal(size=(4, 2))
    found = {position(walkers, number).tobytes() for number in range(100)}
    assert len(found) == 100
    assert {walker.tobytes() for walker in walkers} <= found


def test_memory_is_compared_after_as_many_evaluations() -> None:
    ratio = importlib.import_module("likelihood")._ratio
    assert ratio([100.0, 200.0], [100.0, 300.0, 900.0]) == 1.5


def test_the_total_gain_is_over_stock_on_as_many_workers_and_with_the_same_spread() -> None:
    def row(workers: int, spread: float, ours: float, stock: float) -> dict[str, Any]:
        side: dict[str, Any] = {"seconds_per_iteration": ours, "pieces": 2, "of_limit": 0.9, "seconds": 20.0}
        side["cpu_seconds"] = [4.0, 1.0, 5.0]
        said = {"seconds_per_iteration": 0.4, "measured_over_forecast": 1.25}
        return {
            "workers": workers,
            "spread": spread,
            "ours": side,
            "stock": {"seconds_per_iteration": stock},
            "forecast": said,
        }

    told = {"walkers": 30, "evaluation": 0.4, "rows": [row(19, 0.05, 0.5, 0.0)]}
    whole = {
        "evaluation": 2.1,
        "rows": [row(19, 0.3, 3.0, 7.0), row(19, 0.05, 3.0, 5.0), row(39, 0.05, 2, 4)],
    }
    table = importlib.import_module("report").prepared_scale(told, whole, 0.5)
    assert table.splitlines()[-1] == "| 20 | 19 | 2 | 0.5 | 0.4 | +25.0% | 0.90 | 0.50 | 3 | 5 | 10.0 |"
