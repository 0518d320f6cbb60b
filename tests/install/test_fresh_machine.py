"""The two commands of the README work for an ordinary user of a machine that has next to nothing."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from container.machine import HERE as CLOSED_NETWORK
from container.machine import run
from needs import PYTHONS, python, require
from support import ROOT, Commands, Result

BARE_MACHINE = Path(__file__).parent / "bare-machine"
# Debian 12 has pip and lacks what makes it; of Debian 13 it is the other way round.
MACHINES = {"bookworm": "python3-pip", "trixie": "python3-venv"}
OWNER = 4242
PATIENCE = 1500.0
"""Seconds for what downloads a gigabyte."""
pytestmark = pytest.mark.timeout(2000)


@pytest.fixture(scope="module", params=["bookworm", pytest.param("trixie", marks=pytest.mark.long)])
def machine(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A root of a Debian release with a user, who has a clone of this project."""
    require("root", "mmdebstrap")
    suite: str = request.param
    with tempfile.TemporaryDirectory(prefix="espei-hpc-test-") as place:
        root = Path(place) / suite
        packages = f"--include=python3,{MACHINES[suite]},make,bash,git"
        run(CLOSED_NETWORK / "make-base-image", suite, root, "--variant=minbase", packages)
        for name, line in {"passwd": "::/home/someone:/bin/bash", "group": ":"}.items():
            with (root / "etc" / name).open("a") as file:
                file.write(f"someone:x:{OWNER}{':' + str(OWNER) if name == 'passwd' else ''}{line}\n")
        _copy_of_this_project(root / "home/someone/espei-hpc")
        run("chown", "--recursive", f"{OWNER}:{OWNER}", root / "home/someone")
        yield root


def _copy_of_this_project(clone: Path) -> None:
    """Copy what a clone of this work tree would hold, with what is not committed yet."""
    names = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)
    run("git", "init", "--quiet", clone)


def on(machine: Path, commands: Commands, command: str) -> Result:
    """Run a command in the clone."""
    started = commands.start(BARE_MACHINE, machine, f"cd espei-hpc; {command}", env={"CI": ""})
    return started.finish(seconds=PATIENCE)


@pytest.mark.long
def test_demo_ends_with_database_verdict_and_what_to_type_next(machine: Path, commands: Commands) -> None:
    result = on(machine, commands, "make demo")
    assert result.code == 0, result.output
    lines = result.output.splitlines()
    end = lines[lines.index("The fitted database is build/demo/cu-mg_fitted.tdb. Next:") :]
    typed = [line.split("  ")[1] for line in end[1:-1]]
    assert typed[1:3] == [".venv/bin/espei-hpc help", ".venv/bin/espei-hpc init my-fit"]
    assert on(machine, commands, "; ".join(typed[:3])).code == 0
    assert (machine / "home/someone/espei-hpc/build/demo/cu-mg_fitted.tdb").exists()
    assert re.search(r"mcmc.yaml: .* after 20 iterations", result.output)
    ready = next(place for place, line in enumerate(lines) if "cluster ready: 2 workers" in line)
    assert ready <= 24, "what make and pip print is at most a screen"


def test_commands_are_on_path_once_they_are_installed(machine: Path, commands: Commands) -> None:
    result = on(machine, commands, "make install; PATH=~/.local/bin:$PATH; cd; espei-mpi --version")
    assert result.code == 0, result.output
    assert "It is not on PATH yet" in result.output


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_quick_tests_pass(machine: Path, commands: Commands) -> None:
    test = commands.start(BARE_MACHINE, machine, "cd espei-hpc; make test", env={"CI": ""})
    result = test.finish(seconds=3500)
    assert result.code == 0, result.output[-5000:]
    assert "left out: " in result.output


@pytest.mark.long
@pytest.mark.parametrize(
    "version", [pytest.param(one, marks=pytest.mark.needs(f"Python {one}")) for one in PYTHONS]
)
def test_every_python_installs_and_fits(version: str, tmp_path: Path) -> None:
    words = {"PYTHON": python(version), "ENVIRONMENT": tmp_path / "env"}
    shown = run("make", "demo", *(f"{name}={value}" for name, value in words.items()))
    assert "The fitted database is build/demo/cu-mg_fitted.tdb" in shown
