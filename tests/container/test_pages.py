"""The commands of the pages that run in an image, run in one."""

import shlex
from pathlib import Path

import pytest

from container.conftest import Apptainer
from container.machine import run
from docs.documents import DOCUMENTS, blocks, lines_of

IN_THE_IMAGE = "apptainer exec espei.sif espei-hpc "
COMMANDS = sorted(
    {
        line
        for document in DOCUMENTS
        for block in blocks(document)
        for line in lines_of(block)
        # The doctor has tests of its own.
        if line.startswith(IN_THE_IMAGE) and "doctor" not in line
    }
)


@pytest.fixture(scope="module")
def kept(open_place: Path) -> Path:
    """Gets a copy of the fit of the first test that asks for one."""
    return open_place / "fitted"


@pytest.fixture
def fitted(apptainer: Apptainer, kept: Path) -> Apptainer:
    """A directory with a finished fit of x.yaml, and the image by the name that the pages give it."""
    directory = apptainer.commands.directory
    if kept.exists():
        # With its owner.
        run("cp", "--archive", f"{kept}/.", directory)
    else:
        fit = apptainer.exec("espei-mpi", "--in", "x.yaml", "-n", "3")
        assert fit.code == 0, fit.output
        run("cp", "--archive", directory, kept)
    Path(directory, "espei.sif").symlink_to(apptainer.sif)
    return apptainer


def test_commands_of_the_pages_run_as_they_stand(fitted: Apptainer) -> None:
    assert len(COMMANDS) >= 5
    for command in COMMANDS:
        result = fitted.host("bash", "-euc", command)
        assert result.code == 0, f"{command}\n{result.output}"


def test_report_and_export_are_made_in_the_image(fitted: Apptainer) -> None:
    for words in ("report x.yaml", "export x.yaml chain.nc"):
        result = fitted.exec("espei-hpc", *shlex.split(words))
        assert result.code == 0, result.output
    written = {path.name for path in Path(fitted.commands.directory, "x.run", "report").iterdir()}
    assert {"report.html", "traces.png", "corner.png", "timeline.png"} <= written


@pytest.mark.long
def test_a_first_project_is_made_in_the_image(fitted: Apptainer) -> None:
    result = fitted.exec("espei-hpc", "init", "my-fit")
    assert result.code == 0, result.output
    assert (
        fitted.host(
            "bash", "-euc", "cd my-fit; apptainer exec ../espei.sif espei-hpc check --in mcmc.yaml"
        ).code
        == 0
    )
