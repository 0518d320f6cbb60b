"""A fit with another sampler than ESPEI's: on any number of workers, killed and resumed, and kept apart."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from espei_hpc.rundir.checkpoint.recovery import segments
from finished_fit import finish
from fits import Chain, copy_example, save_often, write_fit
from support import BIN, Command, Commands, wait_until

DE = ("--sampler", "de")
LAPLACE = ("--sampler", "laplace")


def kill_when_saved(fit: Command, checkpoint: Path, number: int) -> None:
    """Kill all processes of a fit when more than so many segments are saved."""
    wait_until(lambda: checkpoint.exists() and len(segments(checkpoint)) > number, "some checkpoints")
    for process in fit.processes():
        process.kill()
    fit.finish()


@pytest.mark.long
def test_chain_of_de_is_the_same_on_one_worker_and_on_two_after_a_kill_too(
    commands: Commands, small_fit: Path, stock_chain: Chain, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = finish(tmp_path_factory, tmp_path_factory.mktemp("whole"), *DE)
    assert "sampler          de" in whole.output
    assert "12 walkers are few for 6 symbols" in whole.output
    save_often(small_fit)
    local = (BIN / "espei-hpc", "fit", "--in", small_fit, "--local", "-w", "1", *DE)
    checkpoint = small_fit.with_suffix(".run") / "checkpoint"
    kill_when_saved(commands.start(*local), checkpoint, 3)
    again = commands.run(*local)
    assert again.code == 0, again.output
    assert "resuming after iteration" in again.output
    chain = Chain.load(small_fit.parent)
    assert chain.equals(Chain.load(whole.input.parent))
    # Both start where ESPEI starts, and with its random numbers, but go other ways.
    assert not chain.begins_like(stock_chain)


@pytest.mark.long
def test_resume_with_another_sampler_is_refused_before_the_cluster_naming_both(
    commands: Commands, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    finish(tmp_path_factory, tmp_path, *DE)
    result = commands.run("espei-mpi", "--in", "x.yaml", "-n", "3")
    assert result.code == 65, result.output
    assert "sampler de -> stretch" in result.output
    assert "give --sampler de), or start a new fit with --force-new" in result.output
    assert "starting the cluster" not in result.output
    status = commands.run("espei-hpc", "status", "x.yaml")
    assert "finished, 30 of 30 iterations saved" in status.output
    assert ", sampler de" in status.output
    for step in ("prepare", "check"):
        accepted = commands.run("espei-hpc", step, "--in", "x.yaml", *DE)
        assert accepted.code == 0, accepted.output


def example(directory: Path) -> Path:
    """Write the example with a few iterations, and return its input."""
    copy_example(directory)
    path = directory / "mcmc.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["mcmc"] |= {"iterations": 6, "save_interval": 1}
    path.write_text(yaml.safe_dump(settings))
    return path


def with_a_prior(directory: Path) -> Path:
    """Write the small fit with a prior for what its data leave free, and return its input.

    Its enthalpies are linear in the symbols, so the Gaussian is right from the start.
    """
    path = write_fit(directory, 6)
    settings = yaml.safe_load(path.read_text())
    prior = {"name": "normal", "loc_relative": 1.0, "scale_relative": 0.1}
    settings["mcmc"] |= {"save_interval": 1, "prior": prior}
    path.write_text(yaml.safe_dump(settings))
    return path


@pytest.mark.parametrize(
    "example", [with_a_prior, pytest.param(example, marks=pytest.mark.long)], ids=["at once", "learned"]
)
def test_chain_of_laplace_is_the_same_on_one_worker_and_on_two_stopped_in_its_search_and_killed_later(
    commands: Commands,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    example: Callable[[Path], Path],
) -> None:
    place = tmp_path_factory.mktemp("one")
    whole = example(place)
    alone = Commands(place).run("espei-hpc", "fit", "--in", whole, "--local", "-w", "1", *LAPLACE)
    assert alone.code == 0, alone.output
    assert "a Gaussian describes this fit" in alone.output
    assert "sampler          laplace" in alone.output

    path = example(tmp_path)
    words = ("espei-hpc", "fit", "--in", path, "--local", "-w", "2", *LAPLACE)
    searching = commands.start(*words)
    searching.wait_for_output("after 1 evaluation")
    searching.process.send_signal(signal.SIGTERM)
    assert searching.finish().code == 75
    checkpoint = path.with_suffix(".run") / "checkpoint"
    killed = commands.start(*words)
    killed.wait_for_output("resuming after")
    kill_when_saved(killed, checkpoint, 2)
    again = commands.run(*words)
    assert again.code == 0, again.output
    assert "after iteration" in again.output
    assert Chain.load(tmp_path).equals(Chain.load(place))


def test_laplace_refuses_what_the_data_do_not_determine_naming_it(
    commands: Commands, small_fit: Path
) -> None:
    result = commands.run("espei-hpc", "fit", "--in", small_fit, "--local", "-w", "1", *LAPLACE)
    assert result.code == 65, result.output
    assert "not determined: VV0004: no datum depends on it; give these symbols a prior" in result.output
    # The same input, with another sampler.
    other = commands.run("espei-hpc", "check", "--in", small_fit)
    assert other.code == 0, other.output
