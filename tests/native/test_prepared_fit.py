"""A fit with the prepared likelihood is stock ESPEI's, and one whose plans go wrong becomes so again."""

import json
import shutil
from pathlib import Path

import pytest

from engine import cluster, fit_here
from fits import Chain, stock_fit, write_fit
from support import Commands

SABOTAGE = """
from espei_hpc.likelihood.upstream.pycalphad import MolarProperty

calls = 0

def wrong(self, composition_sets):
    global calls
    calls += 1
    return MolarProperty.right(self, composition_sets) + (1e-3 if calls > {right} else 0.0)

if not hasattr(MolarProperty, "right"):  # Dask runs this twice
    MolarProperty.right, MolarProperty.of = MolarProperty.of, wrong
"""
"""A plan that goes wrong after a while, in every worker: what no test of ours may ever find in earnest."""

ITERATIONS = 60
RIGHT = 1500
"""Properties that are calculated rightly: some ten iterations of them."""


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small fit as stock has run it."""
    return stock_fit(tmp_path_factory, ITERATIONS)


@pytest.fixture
def here(tmp_path: Path, fit: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "fit").mkdir()
    write_fit(tmp_path / "fit", ITERATIONS)
    shutil.copytree(fit, tmp_path / "fit" / "stock")
    monkeypatch.chdir(tmp_path / "fit")
    return tmp_path / "fit"


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.long), 3])
def test_prepared_fit_is_equal_to_stock_by_every_byte(workers: int, commands: Commands, here: Path) -> None:
    said: list[str] = []
    with cluster(Commands(here, commands.tag), workers):
        fit_here("x", say=said.append)
    for name in ("trace.npy", "lnprob.npy"):
        assert (here / name).read_bytes() == (here / "stock" / name).read_bytes()
    assert [line for line in said if "prepared" in line] == []


def test_plans_that_go_wrong_are_found_told_and_taken_back(commands: Commands, here: Path) -> None:
    said: list[str] = []
    preload = here / "sabotage.py"
    preload.write_text(SABOTAGE.format(right=RIGHT))
    with cluster(Commands(here, commands.tag), 2, "--preload", preload):
        fit_here("x", verify=30, say=said.append)
        assert Chain.load(here).equals(Chain.load(here / "stock"))
        alarms = [line for line in said if line.startswith("ALARM")]
        assert "differs from ESPEI's own functions" in alarms[0]
        told = json.loads((here / "x.run" / "difference.json").read_text())
        assert told["stock"] != told["prepared"]
        assert len(told["parameters"]) == 6
        goes_on_without_plans(here)


def goes_on_without_plans(here: Path) -> None:
    """Ask for more iterations of a fit that had an alarm: nothing is prepared, and nothing taken back."""
    said: list[str] = []
    text = (here / "x.yaml").read_text()
    (here / "x.yaml").write_text(text.replace(f"iterations: {ITERATIONS}", f"iterations: {ITERATIONS + 5}"))
    fit_here("x", verify=30, say=said.append)
    assert any(line.startswith("nothing is prepared: ") for line in said)
    assert [line for line in said if line.startswith("ALARM")] == []
    assert Chain.load(here / "stock").begins_like(Chain.load(here))
