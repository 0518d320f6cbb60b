"""The sampler of a fit is chosen by an option, needs enough walkers, and is named where it is not ESPEI's."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pytest
import yaml

from espei_hpc.cli import commands
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.fit import summary
from espei_hpc.fit.ensemble import check_walkers
from espei_hpc.fit.opening import Opening, opened
from espei_hpc.forecast.costs import Costs
from espei_hpc.forecast.measure import Measured
from espei_hpc.forecast.replay import replay
from espei_hpc.forecast.tables import plan
from espei_hpc.forecast.words import lines
from espei_hpc.inputs import check
from espei_hpc.report import page, samples
from espei_hpc.rundir import status
from espei_hpc.rundir.record import Record
from espei_hpc.rundir.run_directory import held
from espei_hpc.sampler.sampling import Sampling
from fits import write_fit
from unit.report.made_report import made_run
from unit.sampler.serial import state


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_fit(tmp_path, 10)


def change(path: Path, **mcmc: object) -> None:
    content = yaml.safe_load(path.read_text())
    content["mcmc"] |= mcmc
    path.write_text(yaml.safe_dump(content))


def said(path: Path, sampler: str) -> list[str]:
    """Open a fit, and return what is said then."""
    said = list[str]()
    with opened(Opening(path, path.with_suffix(".run"), sampler=sampler), lambda: None, said.append):
        return said


def begin(path: Path, sampler: str) -> None:
    """Begin a chain, as a fit with this sampler does."""
    with held(path.with_suffix(".run")) as directory:
        directory.begin(check(path), sampler)
        directory.store.begin(state(np.ones((12, 6)), 1))


def test_half_that_has_no_pair_is_refused_and_nothing_is_made(here: Path) -> None:
    change(here, symbols=["VV0000"])
    said(here, "stretch")
    (here.with_suffix(".run")).rename(here.with_name("other.run"))
    with pytest.raises(Refusal) as refused:
        said(here, "de")
    assert refused.value.code == ExitCode.BAD_INPUT
    assert str(refused.value) == (
        f"{here}: mcmc: --sampler de needs at least 4 walkers, and there are 2; "
        "set mcmc.chains_per_parameter: 4, or leave out --sampler de"
    )
    assert not here.with_suffix(".run").exists()


def test_few_walkers_are_told_with_the_number_that_is_wanted(here: Path) -> None:
    (line,) = said(here, "de")
    assert line == (
        "--sampler de: 12 walkers are few for 6 symbols: the differences within half of them span only "
        "5 directions; set mcmc.chains_per_parameter: 4"
    )
    assert said(here, "stretch") == []
    change(here, chains_per_parameter=4)
    assert said(here, "de") == []


def test_restart_trace_is_advised_where_there_is_one(here: Path) -> None:
    problem = check(here)
    problem = replace(problem, settings=problem.settings | {"mcmc": {"restart_trace": "trace.npy"}})
    told = check_walkers(problem, "de", 12, 6)
    assert told is not None
    assert told.endswith("; use a restart trace of at least 14 walkers")


@pytest.mark.parametrize(("begun", "now"), [("de", "stretch"), ("stretch", "de")])
def test_chain_of_another_sampler_is_not_resumed(begun: str, now: str, here: Path) -> None:
    begin(here, begun)
    said(here, begun)
    with pytest.raises(Refusal) as refused:
        said(here, now)
    assert refused.value.code == ExitCode.BAD_INPUT
    assert f"x.run: sampler {begun} -> {now}" in str(refused.value)
    assert f"(give --sampler {begun}), or start a new fit with --force-new" in str(refused.value)


def test_stretch_leaves_no_mark_so_that_earlier_versions_understand_each_other(here: Path) -> None:
    begin(here, "stretch")
    record = Record.read(here.with_suffix(".run"))
    assert record is not None
    assert "sampler" not in record.fingerprint
    assert record.sampler == "stretch"


@pytest.mark.parametrize("command", ["fit", "prepare"])
def test_espeis_own_loop_has_its_own_sampler_only(command: str) -> None:
    words = [command, "--in", "x.yaml", "--sampler", "de", "--engine", "espei"]
    with pytest.raises(click.UsageError, match="leave out --sampler de, or --engine espei"):
        commands.main(words, standalone_mode=False)


def in_the_summary(sampler: str, _: Path) -> str:
    sampling = Sampling(10, 10, np.zeros(4), 0.0, np.zeros(4), sampler=sampler)
    return "\n".join(summary.lines(sampling, ()))


def in_the_plan(sampler: str, _: Path) -> str:
    measured = Measured(0.4, 0.05, {0: 0.4}, walkers=8, waited=1.0)
    return "\n".join(lines(plan(2, 4, 10, measured, 2.4, sampler=sampler)))


def _recorded(sampler: str, place: Path) -> Path:
    run = made_run(place)
    record = Record.read(run.directory)
    assert record is not None
    other = {} if sampler == "stretch" else {"sampler": sampler}
    replace(record, fingerprint={**record.fingerprint, **other}).write(run.directory)
    return run.input_file


def in_the_status(sampler: str, place: Path) -> str:
    runs, _ = status.find([_recorded(sampler, place)])
    return "\n".join(status.lines(status.look(runs[0])))


def in_the_table(sampler: str, place: Path) -> str:
    runs, _ = status.find([_recorded(sampler, place)])
    return "\n".join(status.table([status.look(runs[0])]))


def in_the_report(sampler: str, place: Path) -> str:
    return page.ensemble(samples.read(_recorded(sampler, place)))


PLACES = [in_the_summary, in_the_plan, in_the_status, in_the_table, in_the_report]


@pytest.mark.parametrize("shown", PLACES, ids=lambda place: place.__name__)
def test_sampler_is_named_if_it_is_not_espeis(shown: Callable[[str, Path], str], tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    named = re.compile(r"sampler +de|\(de\)")
    assert not named.search(shown("stretch", tmp_path / "one"))
    assert named.search(shown("de", tmp_path / "other"))


def test_forecast_replays_the_sampler() -> None:
    """Of a walker for each worker, a proposal that waits for two others waits longer than one for one."""
    costs = Costs(evaluation=0.4, spread=0.3)
    stretch, de = (
        replay(30, 30, 40, costs, pieces=1, sampler=sampler).efficiency for sampler in ("stretch", "de")
    )
    assert 0.3 < de < stretch
