"""A fit with another sampler than ESPEI's: on any number of workers, killed and resumed, and kept apart."""

from pathlib import Path

import pytest

from espei_hpc.rundir.checkpoint.recovery import segments
from finished_fit import finish
from fits import Chain, save_often
from support import BIN, Commands, wait_until

DE = ("--sampler", "de")


def test_chain_of_de_is_the_same_on_one_worker_and_on_two_after_a_kill_too(
    commands: Commands, small_fit: Path, stock_chain: Chain, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = finish(tmp_path_factory, tmp_path_factory.mktemp("whole"), *DE)
    assert "sampler          de" in whole.output
    assert "12 walkers are few for 6 symbols" in whole.output
    save_often(small_fit)
    local = (BIN / "espei-hpc", "fit", "--in", small_fit, "--local", "-w", "1", *DE)
    checkpoint = small_fit.with_suffix(".run") / "checkpoint"
    killed = commands.start(*local)
    wait_until(lambda: checkpoint.exists() and len(segments(checkpoint)) > 3, "some checkpoints")
    for process in killed.processes():
        process.kill()
    killed.finish()
    again = commands.run(*local)
    assert again.code == 0, again.output
    assert "resuming after iteration" in again.output
    chain = Chain.load(small_fit.parent)
    assert chain.equals(Chain.load(whole.input.parent))
    # Both start where ESPEI starts, and with its random numbers, but go other ways.
    assert not chain.begins_like(stock_chain)


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
