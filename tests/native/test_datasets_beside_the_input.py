"""A fit whose input stands among its datasets: its run directory does too, and is none of them."""

from pathlib import Path

import pytest
import yaml

from fits import Chain
from support import Commands


def _among_its_datasets(small_fit: Path) -> Path:
    """Move the input to its datasets."""
    settings = yaml.safe_load(small_fit.read_text())
    settings["system"] = {"phase_models": "../phase_models.json", "datasets": "."}
    settings["mcmc"] |= {"input_db": "../cu-mg_start.tdb", "iterations": 3}
    moved = small_fit.parent / "datasets" / "x.yaml"
    moved.write_text(yaml.safe_dump(settings))
    small_fit.unlink()
    return moved


@pytest.mark.long
@pytest.mark.parametrize("engine", ["graph", "espei"])
def test_input_among_its_datasets_is_fitted_resumed_and_reported_as_by_stock(
    commands: Commands, small_fit: Path, stock_chain: Chain, engine: str
) -> None:
    path = _among_its_datasets(small_fit)
    here = ("env", "-C", path.parent)
    fit = (*here, "espei-mpi", "--in", path.name, "-n", "3", "--engine", engine)
    first = commands.run(*fit)
    assert first.code == 0, first.output
    assert Chain.load(path.parent).begins_like(stock_chain)
    if engine == "espei":
        return

    path.write_text(path.read_text().replace("iterations: 3\n", "iterations: 30\n"))
    resumed = commands.run(*fit)
    assert resumed.code == 0, resumed.output
    assert "resuming after iteration 3 of 30" in resumed.output
    assert Chain.load(path.parent).equals(stock_chain)
    report = commands.run(*here, "espei-hpc", "report", path.name)
    assert report.code == 0, report.output
    assert "KeyError" not in (path.parent / "x.run" / "report" / "report.html").read_text()
