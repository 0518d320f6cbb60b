"""The page for notebooks, run as it stands by a Python outside the image."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from container.conftest import run_and_settle
from docs.documents import blocks
from espei_hpc.exit_codes import ExitCode
from support import ROOT, Commands, Result, wait_until

PAGE = blocks(ROOT / "docs" / "notebooks.md")
LINK = next(block.text for block in PAGE if "ln -s" in block.text)
CHECK, FIT, READ, _WITH_DOCKER = (block.text for block in PAGE if block.language == "python")
VERSION = """
labels = Client.inspect()["attributes"]["labels"]
print("label", labels["org.opencontainers.image.version"])
print(*run("espei", "--version"))
print(Client.execute(["env"], options=["--env", "A_SETTING=7"]))
"""


@dataclass
class Notebook:
    """Runs cells, all of them in one new Python, in a directory with an input and the image."""

    commands: Commands

    @property
    def directory(self) -> Path:
        """Where it runs."""
        return self.commands.directory

    @property
    def environment(self) -> dict[str, str]:
        """The environment of someone who has followed the page."""
        home = self.directory / "home"
        path = f"{home / 'bin'}:{os.environ['PATH']}"
        return {"HOME": str(home), "PATH": path, "MPLBACKEND": "agg", "ESPEI_HPC_VERIFY": "30"}

    def run(self, *cells: str) -> Result:
        """Run cells to their end."""
        return run_and_settle(self.commands, sys.executable, "-c", "\n".join(cells), env=self.environment)


@pytest.fixture
def notebook(sif: Path, open_fit: Path, commands: Commands) -> Notebook:
    """A notebook beside a small fit."""
    return _beside(open_fit, sif, commands)


@pytest.fixture
def endless_notebook(sif: Path, endless_open_fit: Path, commands: Commands) -> Notebook:
    """A notebook beside a fit of more iterations than anybody waits for."""
    return _beside(endless_open_fit, sif, commands)


def _beside(path: Path, sif: Path, commands: Commands) -> Notebook:
    commands.directory = path.parent
    path.rename(path.with_name("mcmc.yaml"))
    (path.parent / "espei.sif").symlink_to(sif)
    (path.parent / "home").mkdir()
    notebook = Notebook(commands)
    subprocess.run(["bash", "-euc", LINK], env=os.environ | notebook.environment, check=True)
    return notebook


def test_cells_of_the_page_check_fit_and_read_the_chain(notebook: Notebook) -> None:
    result = notebook.run(CHECK, "assert code == 0", FIT, READ)
    assert result.code == 0, result.output
    assert "2 workers" in result.output
    # ArviZ's table has a row for each symbol.
    for symbol in ("VV0000", "ess_bulk"):
        assert symbol in result.output
    assert (notebook.directory / "chain.nc").exists()


def test_faults_of_an_input_come_back_with_their_exit_code(notebook: Notebook) -> None:
    path = notebook.directory / "mcmc.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"mcmc": {"iterations": "many"}}))
    result = notebook.run(CHECK, "print('code', code)")
    assert f"code {ExitCode.BAD_INPUT.value}" in result.output
    assert "iterations" in result.output


def test_image_answers_spythons_client(notebook: Notebook) -> None:
    result = notebook.run(CHECK, VERSION)
    assert result.code == 0, result.output
    for text in ("label 0.1.0", "0 espei version 0.9.1", "A_SETTING=7"):
        assert text in result.output


@pytest.mark.long
def test_interrupted_cell_stops_the_fit_and_the_cell_resumes_it(endless_notebook: Notebook) -> None:
    notebook = endless_notebook
    _interrupt_after("iteration ", notebook)
    _interrupt_after("resuming after iteration", notebook)
    assert (notebook.directory / "fitted.tdb").exists()


def _interrupt_after(seen: str, notebook: Notebook) -> None:
    """Run the cell of the fit; when it has printed something and samples, interrupt it as Jupyter does."""
    words = ("setsid", sys.executable, "-u", "-c", f"{CHECK}\n{FIT}")
    kernel = notebook.commands.start(*words, env=notebook.environment)
    kernel.wait_for_output(seen)
    kernel.wait_for_samples(3)
    # Jupyter's signal goes to its kernel and to what that has started.
    os.killpg(kernel.process.pid, signal.SIGINT)
    assert kernel.finish().code != 0
    wait_until(lambda: not notebook.commands.left(), "the fit has saved and ended")
