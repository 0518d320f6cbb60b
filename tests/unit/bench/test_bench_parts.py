"""Parts of the bench still run: what they replace or read of the package is there."""

import importlib

import pytest


def test_bytes_written_are_counted_for_each_pace_and_for_stock(monkeypatch: pytest.MonkeyPatch) -> None:
    written = importlib.import_module("written")
    monkeypatch.setattr(written, "ITERATIONS", 20)
    found = written.measure()
    # Each iteration of a slow fit is saved at once; a fast one is saved at its end.
    fast, *_, slow = found["ours"].values()
    assert found["final_trace"] < fast < slow
    assert found["stock"] > 20 * found["final_trace"]


def test_samplers_are_measured_on_a_gaussian() -> None:
    rows = importlib.import_module("samplers").gaussian(2, 8)
    assert {row["sampler"] for row in rows} == {"stretch", "de", "laplace"}
    assert all(row["per_thousand"] > 0 for row in rows)


@pytest.mark.all
def test_samplers_and_the_best_fit_are_measured_on_a_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    samplers = importlib.import_module("samplers")
    moves = ("stretch", "de", "laplace")
    monkeypatch.setattr(samplers, "SMALL", samplers.Lengths((5, "de"), dict.fromkeys(moves, 20)))
    found = samplers.fit_of("example")
    assert [row["sampler"] for row in found["rows"]] == list(moves)
    assert found["verdict"].startswith("a Gaussian describes this fit")
    best = found["optimum"]
    assert best["log_probability"] >= best["highest_in_chains"]
    # The starts of the burn-in and of each chain, and every iteration.
    assert best["evaluations"] == found["rows"][0]["walkers"] * (4 + 5 + 3 * 20)
