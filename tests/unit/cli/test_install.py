"""The commands that ``espei-hpc install`` writes for the host."""

import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from espei_hpc.cli import commands
from espei_hpc.errors import Refusal
from support import BIN

SIF = "/images/my espei.sif"
NAMES = ("espei-mpi", "espei-hpc")


def install(directory: Path, *words: str, **variables: str) -> Result:
    return CliRunner(env=variables).invoke(commands, ["install", str(directory), *words])


def stand_in(place: Path, name: str, body: str = "") -> Path:
    """Write an engine that prints its arguments, one on a line, and then does something."""
    place.mkdir(exist_ok=True)
    path = place / name
    path.write_text(f"#!/bin/bash\nprintf '%s\\n' \"$@\" >>{place}/words\n{body}")
    path.chmod(0o755)
    return path


def run(command: Path, programs: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [command, *words],
        env={"PATH": f"{programs}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_image_is_the_one_in_which_it_runs(tmp_path: Path) -> None:
    result = install(tmp_path / "bin", APPTAINER_CONTAINER=SIF)
    assert result.exit_code == 0, result.output
    assert f"espei-mpi, espei-hpc, for {SIF}" in result.output
    for name in NAMES:
        assert os.access(tmp_path / "bin" / name, os.X_OK)


def test_espei_mpi_is_the_images_own_script_with_the_image_before_the_users_words(tmp_path: Path) -> None:
    sif = tmp_path / "my espei.sif"
    sif.touch()
    install(tmp_path, APPTAINER_CONTAINER=str(sif))
    stand_in(tmp_path / "programs", "apptainer", 'echo \'printf "%s|" "$@"\'')
    result = run(tmp_path / "espei-mpi", tmp_path / "programs", "--in", "my x.yaml")
    assert result.stdout == f"--image|{sif}|--in|my x.yaml|", result.stderr
    words = (tmp_path / "programs" / "words").read_text().splitlines()
    assert words == ["exec", str(sif), "cat", "/usr/local/bin/espei-mpi"]


def test_exit_code_is_that_of_the_script(tmp_path: Path) -> None:
    sif = tmp_path / "espei.sif"
    sif.touch()
    install(tmp_path, APPTAINER_CONTAINER=str(sif))
    stand_in(tmp_path / "programs", "apptainer", "echo exit 75")
    assert run(tmp_path / "espei-mpi", tmp_path / "programs").returncode == 75


def test_image_that_does_not_start_is_no_success(tmp_path: Path) -> None:
    sif = tmp_path / "espei.sif"
    sif.touch()
    install(tmp_path, APPTAINER_CONTAINER=str(sif))
    stand_in(tmp_path / "programs", "apptainer", "exit 255")
    result = run(tmp_path / "espei-mpi", tmp_path / "programs")
    assert result.returncode == 69
    assert result.stderr == f"espei-mpi: the image {sif} cannot be started with apptainer\n"


@pytest.mark.parametrize("name", NAMES)
def test_image_that_has_moved_is_told_in_one_line_with_the_cure(name: str, tmp_path: Path) -> None:
    install(tmp_path, APPTAINER_CONTAINER=SIF)
    stand_in(tmp_path / "programs", "apptainer")
    result = run(tmp_path / name, tmp_path / "programs")
    assert result.returncode == 69
    cure = f"type apptainer run IMAGE install {tmp_path} with the one that there is"
    assert result.stderr == f"{name}: there is no image {SIF} any more: {cure}\n"


def test_host_mpi_sees_the_hosts_files(tmp_path: Path) -> None:
    sif = tmp_path / "espei.sif"
    sif.touch()
    install(tmp_path, APPTAINER_CONTAINER=str(sif))
    stand_in(tmp_path / "programs", "apptainer")
    run(tmp_path / "espei-hpc", tmp_path / "programs", "host-mpi", "--path", "x")
    words = (tmp_path / "programs" / "words").read_text().splitlines()
    assert words == ["exec", "--bind", "/:/host:ro", str(sif), "espei-hpc", "host-mpi", "--path", "x"]


def test_image_with_a_name_is_run_by_podman_in_the_users_directory(tmp_path: Path) -> None:
    install(tmp_path, "--image", "localhost/espei-hpc:both")
    stand_in(tmp_path / "programs", "podman")
    run(tmp_path / "espei-hpc", tmp_path / "programs", "status")
    words = (tmp_path / "programs" / "words").read_text().splitlines()
    assert words[:3] == ["run", "--rm", "--user"]
    assert words[-3:] == ["localhost/espei-hpc:both", "espei-hpc", "status"]


def test_file_of_the_users_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "espei-mpi").write_text("mine")
    result = install(tmp_path, APPTAINER_CONTAINER=SIF)
    assert isinstance(result.exception, Refusal)
    assert "did not write it" in str(result.exception)
    assert (tmp_path / "espei-mpi").read_text() == "mine"
    assert not (tmp_path / "espei-hpc").exists()


def test_its_own_files_are_replaced(tmp_path: Path) -> None:
    install(tmp_path, APPTAINER_CONTAINER=SIF)
    install(tmp_path, "--image", "/elsewhere/espei.sif")
    assert "/elsewhere/espei.sif" in (tmp_path / "espei-mpi").read_text()


def test_without_an_image_the_command_that_has_one_is_named(tmp_path: Path) -> None:
    result = install(tmp_path, APPTAINER_CONTAINER="", SINGULARITY_CONTAINER="")
    assert isinstance(result.exception, Refusal)
    assert "--image" in str(result.exception)


@pytest.mark.parametrize("image", [SIF, "localhost/espei-hpc:both"])
def test_commands_pass_the_check_of_bash(image: str, tmp_path: Path) -> None:
    install(tmp_path, "--image", image)
    files = [tmp_path / name for name in NAMES]
    for words in (("shellcheck",), ("shfmt", "--indent", "4", "--diff")):
        result = subprocess.run(
            [BIN / words[0], *words[1:], *files], capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stdout
