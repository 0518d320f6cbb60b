"""Our own engine's chain is stock ESPEI's, however the work is shared out and whatever becomes of workers."""

import dataclasses
import json
import os
import re
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
import scipy.stats
import yaml

from amounts import mostly_long
from engine import cluster, fit_here
from espei_hpc.errors import Refusal
from espei_hpc.fit import graph_optimizer
from espei_hpc.fit.cutting import Cutter
from finished_fit import finish
from fits import Chain, run_stock, write_fit
from made_once import made_once
from support import EXAMPLE, Commands, wait_until


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole example (boundaries, activities, enthalpies) for 2 iterations, and stock's chain of it."""
    return made_once(tmp_path_factory, "example", _make_example)


def _make_example(directory: Path) -> None:
    shutil.copytree(EXAMPLE, directory, ignore=shutil.ignore_patterns("*.npy", "*.run"), dirs_exist_ok=True)
    path = directory / "mcmc.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["mcmc"]["iterations"] = 2
    settings["output"] = {"output_db": "fitted.tdb", "tracefile": "trace.npy", "probfile": "lnprob.npy"}
    path.write_text(yaml.safe_dump(settings))
    stock = directory / "stock"
    shutil.copytree(directory, stock)
    run_stock(stock, stock / "mcmc.yaml")


@pytest.fixture
def here(tmp_path: Path, example: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(example, tmp_path / "fit")
    monkeypatch.chdir(tmp_path / "fit")
    return tmp_path / "fit"


def stock(here: Path) -> Chain:
    return Chain.load(here / "stock")


@pytest.mark.parametrize("workers", mostly_long(3, 1, 5))
def test_chain_of_whole_evaluations_equals_stock_on_any_number_of_workers(
    workers: int, commands: Commands, here: Path
) -> None:
    with cluster(Commands(here, commands.tag), workers):
        fit_here()
    assert Chain.load(here).equals(stock(here))


@pytest.mark.parametrize("pieces", [3, pytest.param(1000, marks=pytest.mark.long)])
def test_chain_of_split_evaluations_equals_stock(
    pieces: int, commands: Commands, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The example's evaluations are too short to be split by themselves.
    monkeypatch.setattr(Cutter, "pieces", lambda cutter, _: Cutter.cut_into(cutter, pieces))
    with cluster(Commands(here, commands.tag), 2):
        fit_here()
    assert Chain.load(here).equals(stock(here))


def test_chain_on_workers_of_unequal_speed_equals_stock(commands: Commands, here: Path) -> None:
    with cluster(Commands(here, commands.tag), 2) as workers, slowed(workers[0]):
        fit_here()
    assert Chain.load(here).equals(stock(here))


@contextmanager
def slowed(worker: psutil.Process) -> Iterator[None]:
    """Let a process run only two fifths of the time."""
    over = threading.Event()

    def brake() -> None:
        while not over.wait(0.02):
            worker.suspend()
            over.wait(0.03)
            worker.resume()

    thread = threading.Thread(target=brake)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.quick
def test_fault_08_worker_killed_on_the_way_leaves_stocks_chain(commands: Commands, here: Path) -> None:
    said: list[str] = []
    with cluster(Commands(here, commands.tag), 3) as workers:
        killer = threading.Thread(target=_kill_when_sampling, args=[workers[1], here])
        killer.start()
        fit_here(say=said.append)
        killer.join()
    assert Chain.load(here).equals(stock(here))
    assert any(line.startswith("lost worker") and f"(pid {workers[1].pid})" in line for line in said), said


def _kill_when_sampling(worker: psutil.Process, here: Path) -> None:
    wait_until((here / "mcmc.run" / "checkpoint").exists, "the sampling")
    # Busy with an evaluation: 12 of them take more than a second.
    began = worker.cpu_times().user
    wait_until(lambda: worker.cpu_times().user > began + 0.5, "work")
    os.kill(worker.pid, signal.SIGKILL)


def test_chain_of_a_database_generated_in_the_same_run_equals_stock(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_fit(tmp_path, 3)
    settings = yaml.safe_load(path.read_text())
    generate = yaml.safe_load((EXAMPLE / "generate.yaml").read_text())["generate_parameters"]
    del settings["mcmc"]["input_db"]
    settings["generate_parameters"] = generate
    path.write_text(yaml.safe_dump(settings))
    shutil.copytree(tmp_path, tmp_path / "stock", ignore=shutil.ignore_patterns("stock", "*.log"))
    run_stock(tmp_path / "stock", tmp_path / "stock" / "x.yaml")
    result = commands.run("espei-mpi", "--in", "x.yaml", "-n", "2")
    assert result.code == 0, result.output
    assert Chain.load(tmp_path).equals(stock(tmp_path))


STOCK_ENGINE = ("--engine", "espei")


@pytest.mark.long
def test_stock_engine_makes_the_same_chain(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, stock_chain: Chain
) -> None:
    finish(tmp_path_factory, tmp_path, *STOCK_ENGINE)
    assert Chain.load(tmp_path).equals(stock_chain)


@pytest.mark.parametrize("options", mostly_long((), STOCK_ENGINE), ids=["graph", "espei"])
def test_time_left_is_not_told_before_the_workers_are_prepared(
    options: tuple[str, ...], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    output = finish(tmp_path_factory, tmp_path, *options).output
    first, *_, last = re.findall(r"iteration \d+ of 30: .*", output)
    assert "workers are preparing, time left unknown" in first
    assert re.search(r"\d s per iteration, (.* recently, )?0 s left", last)


def test_fault_12_log_probability_that_is_not_a_number_is_told_with_its_parameters(
    commands: Commands, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = graph_optimizer.recipe
    not_a_number = [scipy.stats.norm(loc=np.nan)] * 6
    monkeypatch.setattr(
        graph_optimizer, "recipe", lambda *words: dataclasses.replace(made(*words), priors=not_a_number)
    )
    with cluster(Commands(here, commands.tag), 2), pytest.raises(Refusal) as refused:
        fit_here()
    assert "lnprob returned NaN" in str(refused.value)
    kept = json.loads((here / "mcmc.run" / "failed-parameters.json").read_text())
    assert set(kept["parameters"]) == {f"VV000{number}" for number in range(6)}


def test_fault_12_infinite_parameters_are_told_in_one_line_and_nothing_is_left(
    commands: Commands, small_fit: Path
) -> None:
    settings = yaml.safe_load(small_fit.read_text())
    settings["mcmc"]["chain_std_deviation"] = 1e305
    small_fit.write_text(yaml.safe_dump(settings))
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "2")
    assert result.code == 1, result.output
    assert "At least one parameter value was infinite" in result.output
    assert "Traceback" not in result.output
    assert commands.left() == []
