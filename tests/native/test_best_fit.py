"""``--optimize``: the best fit, at least as good as any sample of a chain, the same however it was found."""

import json
import re
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pycalphad import Database

from espei_hpc.likelihood.upstream.espei import unpack_piecewise
from fits import Chain, copy_example, stock_example, write_fit
from made_once import made_once
from support import Commands, mpirun

LAUNCHER = str(mpirun("mpich"))


def search(commands: Commands, path: Path, *options: str, ranks: int = 3) -> str:
    """Search for the best fit, and return what was printed."""
    words = ("--optimize", "-n", str(ranks), "--launcher", LAUNCHER, *options)
    result = commands.run("espei-mpi", "--in", path, *words)
    assert result.code == 0, result.output
    return result.output


def optimum(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((path.with_suffix(".optimum.run") / "optimum.json").read_text())
    return found


@pytest.fixture
def example(tmp_path: Path) -> Path:
    copy_example(tmp_path)
    return tmp_path / "mcmc.yaml"


@pytest.fixture(scope="module")
def best(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's input after a search on two workers."""

    def find(directory: Path) -> None:
        copy_example(directory)
        (directory / "printed").write_text(search(Commands(directory), directory / "mcmc.yaml"))

    return made_once(tmp_path_factory, "best-fit", find) / "mcmc.yaml"


@pytest.mark.long
def test_best_fit_is_better_than_every_sample_of_a_chain_in_fewer_evaluations(
    best: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chain = Chain.load(stock_example(tmp_path_factory))
    found = optimum(best)
    assert found["converged"]
    assert found["log_probability"] > chain.lnprob.max()
    assert found["evaluations"] <= 100 < chain.lnprob.size


def test_database_has_the_best_fit_and_the_chains_files_are_left_alone(best: Path) -> None:
    found = optimum(best)
    database = Database(str(best.parent / "cu-mg_fitted-optimum.tdb"))
    values = [unpack_piecewise(database.symbols[name]) for name in found["symbols"]]
    assert values == pytest.approx(found["parameters"], rel=1e-9)
    assert not (best.parent / "cu-mg_fitted.tdb").exists()
    assert not list(best.parent.glob("*.npy"))
    assert not best.with_suffix(".run").exists()


def test_table_is_printed_with_standard_errors_and_datasets(best: Path) -> None:
    printed = (best.parent / "printed").read_text()
    assert "standard error" in printed
    assert "phase boundaries, Morinaga1942" in printed
    assert "espei-hpc: log-probability -160.9" in printed


@pytest.mark.long
def test_status_and_report_say_what_a_search_has_found(best: Path) -> None:
    commands = Commands(best.parent)
    status = commands.run("espei-hpc", "status", "mcmc.optimum.run")
    found = r"finished, search for the best fit: log-probability -160\.97 after \d+ evaluations"
    assert re.fullmatch(rf"mcmc\.optimum\.run: {found}\n", status.output)
    report = commands.run("espei-hpc", "report", "mcmc.optimum.run")
    assert report.code == 0, report.output
    assert report.output in (best.parent / "printed").read_text()


def test_stopped_search_resumes_to_the_same_bits_on_another_number_of_workers(
    commands: Commands, example: Path, best: Path
) -> None:
    words = ("--optimize", "-n", "2", "--launcher", LAUNCHER)
    run = commands.start("espei-mpi", "--in", example, *words)
    run.wait_for_output("after 8 evaluations")
    run.process.send_signal(signal.SIGTERM)
    stopped = run.finish()
    assert stopped.code == 75, stopped.output
    assert "all evaluations are saved; run the same command to resume" in stopped.output
    assert not (example.parent / "cu-mg_fitted-optimum.tdb").exists()
    printed = search(commands, example, ranks=4)
    assert "resuming after" in printed
    for key in ("parameters", "covariance", "rows", "log_probability", "evaluations"):
        assert optimum(example)[key] == optimum(best)[key], key


@pytest.mark.long
def test_same_command_again_says_that_it_is_found_and_another_input_is_refused(
    commands: Commands, tmp_path: Path
) -> None:
    path = write_fit(tmp_path, iterations=30)
    first = commands.run("espei-hpc", "optimize", path, "--workers", "1")
    assert first.code == 0, first.output
    assert "not determined: VV0004: no datum depends on it" in first.output
    again = commands.run("espei-hpc", "optimize", path, "--workers", "1")
    assert again.code == 0, again.output
    assert "already found" in again.output
    assert "standard error" in again.output
    settings = yaml.safe_load(path.read_text())
    settings["mcmc"]["data_weights"] = {"HM": 2.0}
    path.write_text(yaml.safe_dump(settings))
    changed = commands.run("espei-hpc", "optimize", path, "--workers", "1")
    assert changed.code == 65, changed.output
    assert "cannot resume" in changed.output


def test_input_without_mcmc_is_searched_from_several_starts(commands: Commands, tmp_path: Path) -> None:
    path = write_fit(tmp_path, iterations=30)
    settings = yaml.safe_load(path.read_text())
    del settings["mcmc"]
    path.write_text(yaml.safe_dump(settings))
    words = ("--workers", "1", "--database", "cu-mg_start.tdb", "--starts", "2")
    result = commands.run("espei-hpc", "optimize", path, *words)
    assert result.code == 0, result.output
    starts = optimum(path)["starts"]
    assert len(starts) == 2
    assert np.ptp(starts) < 0.01
    fewer = commands.run("espei-hpc", "optimize", path, *words[:-1], "1")
    assert "already found" in fewer.output
    more = commands.run("espei-hpc", "optimize", path, *words[:-1], "3")
    assert more.code == 0, more.output
    assert optimum(path)["starts"][:2] == starts
    assert len(optimum(path)["starts"]) == 3
