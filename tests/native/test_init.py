"""A first project runs as it was written."""

import shutil
from pathlib import Path

import pytest

from support import EXAMPLE, Commands

NEXT = ["espei-hpc check --in mcmc.yaml", "espei-hpc plan --in mcmc.yaml", "espei-mpi --in mcmc.yaml"]


@pytest.fixture
def own(tmp_path: Path) -> list[str]:
    shutil.copytree(EXAMPLE / "datasets", tmp_path / "input-data")
    shutil.copy(EXAMPLE / "cu-mg_start.tdb", tmp_path / "cu-mg.tdb")
    return ["--tdb", "cu-mg.tdb", "--datasets", "input-data"]


def test_project_of_own_data_passes_the_check(commands: Commands, tmp_path: Path, own: list[str]) -> None:
    made = commands.run("espei-hpc", "init", "my-fit", *own)
    assert made.code == 0, made.output
    assert [line.strip() for line in made.output.splitlines()][-4:] == ["cd my-fit", *NEXT]
    checked = Commands(tmp_path / "my-fit", commands.tag).run("espei-hpc", "check", "--in", "mcmc.yaml")
    assert checked.code == 0, checked.output


def test_example_passes_the_check_and_fits(commands: Commands, tmp_path: Path) -> None:
    made = commands.run("espei-hpc", "init", "first")
    assert made.code == 0, made.output
    there = Commands(tmp_path / "first", commands.tag)
    for command in NEXT[:2]:
        done = there.run(*command.split())
        assert done.code == 0, done.output
    file = tmp_path / "first" / "mcmc.yaml"
    file.write_text(file.read_text().replace("iterations: 20", "iterations: 2"))
    fitted = there.run(*NEXT[2].split(), "-n", "3")
    assert fitted.code == 0, fitted.output
    assert (tmp_path / "first" / "cu-mg_fitted.tdb").exists()


def test_half_of_ones_own_data_is_a_wrong_command_line(commands: Commands, own: list[str]) -> None:
    result = commands.run("espei-hpc", "init", "my-fit", *own[:2])
    assert result.code == 64, result.output
    assert "--tdb and --datasets belong together" in result.output
