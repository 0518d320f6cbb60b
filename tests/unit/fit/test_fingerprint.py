"""What two starts of one fit must have in common."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from espei_hpc.inputs import check
from espei_hpc.inputs.fingerprint import fingerprint
from fits import write_fit


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_fit(tmp_path, 10)


def mark(path: Path) -> dict[str, str]:
    return fingerprint(check(path))


def change(path: Path, section: str, **settings: object) -> None:
    content = yaml.safe_load(path.read_text())
    content[section] |= settings
    path.write_text(yaml.safe_dump(content))


def reformat(path: Path) -> None:
    for dataset in (path.parent / "datasets").iterdir():
        dataset.write_text(json.dumps(json.loads(dataset.read_text()), indent=7))


SAME: dict[str, Callable[[Path], None]] = {
    "more iterations": lambda path: change(path, "mcmc", iterations=20),
    "another save interval": lambda path: change(path, "mcmc", save_interval=3),
    "another scheduler": lambda path: change(path, "mcmc", scheduler=None),
    "another verbosity": lambda path: change(path, "output", verbosity=2),
    "other layout of the datasets": reformat,
    "an explicit default": lambda path: change(path, "mcmc", deterministic=True),
}


@pytest.mark.parametrize("make", SAME.values(), ids=SAME)
def test_what_does_not_touch_the_chain_does_not_count(make: Callable[[Path], None], here: Path) -> None:
    before = mark(here)
    make(here)
    assert mark(here) == before


def rename(path: Path) -> None:
    first = min((path.parent / "datasets").iterdir())
    first.rename(first.with_name("zz.json"))


def remark(path: Path) -> None:
    models = path.parent / "phase_models.json"
    models.write_text(json.dumps({**json.loads(models.read_text()), "remark": 1}))


OTHER: dict[str, tuple[Callable[[Path], None], str]] = {
    "another spread": (lambda path: change(path, "mcmc", chain_std_deviation=0.2), "chain_std_deviation"),
    "random seeds": (lambda path: change(path, "mcmc", deterministic=False), "deterministic"),
    "another weight": (lambda path: change(path, "mcmc", data_weights={"HM": 2.0}), "data_weights"),
    "another order of the datasets": (rename, "zz.json"),
    "other phase models": (remark, "phase models"),
}


@pytest.mark.parametrize(("make", "named"), OTHER.values(), ids=OTHER)
def test_what_touches_the_chain_counts(make: Callable[[Path], None], named: str, here: Path) -> None:
    before = mark(here)
    make(here)
    after = mark(here)
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert any(named in name for name in changed), changed


def test_versions_that_decide_over_digits_count(here: Path) -> None:
    assert {f"version of {name}" for name in ("espei", "pycalphad", "emcee", "numpy", "symengine")} <= set(
        mark(here)
    )
