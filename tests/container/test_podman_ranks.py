"""Ranks in podman under the host's launchers, as an ordinary user without root."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from container.conftest import run_and_settle
from container.machine import HERE, IMAGE, VARIANTS
from container.rootless import load, settings, users_place
from espei_hpc.exit_codes import ExitCode
from fits import Chain
from mpi_support import LAUNCHERS
from support import ROOT, Commands, Result

OFTEN = ("both", "none")
"""Hybrid with the first, bind with the last."""
SELDOM = tuple(variant for variant in VARIANTS if variant not in OFTEN)


@dataclass
class Rootless:
    """Podman of an ordinary user, with images of its own.

    Attributes:
        commands: runs what is asked for.
        place: the user's, with home, images and this project's script.
    """

    commands: Commands
    place: Path

    def host(self, *words: str | Path) -> Result:
        """Run words on the host."""
        return run_and_settle(
            self.commands,
            HERE / "as-user",
            self.commands.directory,
            *words,
            env=settings(self.place),
        )

    def espei_mpi(self, variant: str, *words: str | Path) -> Result:
        """Run the script that a user has of the image."""
        return self.host("bash", self.place / "espei-mpi", "--image", f"{IMAGE}:{variant}", *words)


@pytest.fixture(scope="session")
def users_podman(images: None) -> Iterator[Path]:
    """A user's place with the variants that are used often."""
    with users_place(*OFTEN) as place:
        yield place


@pytest.fixture(scope="session")
def seldom(users_podman: Path) -> None:
    """The other variants too."""
    load(users_podman, *SELDOM)


@pytest.fixture
def rootless(users_podman: Path, open_fit: Path, commands: Commands) -> Rootless:
    """Podman of an ordinary user, and an input, x.yaml, in the working directory."""
    commands.directory = open_fit.parent
    return Rootless(commands, users_podman)


@pytest.mark.long
@pytest.mark.usefixtures("seldom")
@pytest.mark.parametrize("variant", SELDOM)
@pytest.mark.parametrize("launcher", LAUNCHERS, ids=str)
def test_every_launcher_reaches_one_world_in_an_image_of_one_mpi(
    launcher: Path, variant: str, rootless: Rootless
) -> None:
    assert_one_world(launcher, variant, rootless)


@pytest.mark.parametrize(
    ("launcher", "variant"),
    [
        # Each launcher once, each variant with both families.
        pytest.param(launcher, variant, marks=[] if (row // 2 + column) % 2 == 0 else pytest.mark.long)
        for row, launcher in enumerate(LAUNCHERS)
        for column, variant in enumerate(OFTEN)
    ],
    ids=str,
)
def test_every_launcher_reaches_one_world_in_an_image_of_both_mpis_or_none(
    launcher: Path, variant: str, rootless: Rootless
) -> None:
    assert_one_world(launcher, variant, rootless)


def assert_one_world(launcher: Path, variant: str, rootless: Rootless) -> None:
    result = rootless.espei_mpi(variant, "--doctor", "--launcher", str(launcher))
    assert "one world of 3 ranks" in result.output
    assert "1 MB arrived intact at all 3 ranks" in result.output
    # Of the image's own, where it holds one of the launcher's family; else of the host's.
    way = "hybrid" if _holds(variant, launcher) else "bind"
    assert f"MPI: {way}: " in result.output


def _holds(variant: str, launcher: Path) -> bool:
    family = "openmpi" if "openmpi" in str(launcher) else "mpich"
    return variant in ("both", family)


@pytest.mark.parametrize(
    "launcher", [pytest.param(LAUNCHERS[-2], marks=pytest.mark.long), LAUNCHERS[-1]], ids=str
)
def test_fit_runs_on_ranks_of_the_hosts_launcher(launcher: Path, rootless: Rootless) -> None:
    result = rootless.espei_mpi("both", "--in", "x.yaml", "-n", "3", "--launcher", str(launcher))
    assert result.code == 0, result.output
    assert "2 workers" in result.output
    assert len(Chain.load(rootless.commands.directory).lnprob) > 0


def test_fit_in_the_image_alone_leaves_files_that_are_the_users(rootless: Rootless) -> None:
    result = rootless.espei_mpi("both", "--in", "x.yaml", "-n", "3")
    assert result.code == 0, result.output
    trace = rootless.commands.directory / "trace.npy"
    owner = rootless.host("stat", "--format=%U %U", trace).output.split()
    assert owner == rootless.host("id", "--user", "--name").output.split() * 2


def line_of_the_readme() -> str:
    """Return the line with podman."""
    (line,) = re.findall("^podman run .*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    return str(line)


def test_line_of_the_readme_fits_without_root(rootless: Rootless) -> None:
    result = rootless.host("bash", "-euc", line_of_the_readme())
    assert result.code == 0, result.output
    assert len(Chain.load(rootless.commands.directory).lnprob) > 0


def test_who_leaves_out_the_option_is_told_of_it(rootless: Rootless) -> None:
    line = line_of_the_readme().replace("--userns=keep-id ", "")
    # Of the user alone: the fit's directory is open to all.
    mine = "files=$(ls); mkdir --mode=700 mine; cp --recursive $files mine; cd mine"
    result = rootless.host("bash", "-euc", f"{mine}; {line}")
    assert result.code == ExitCode.CANNOT_CREATE, result.output
    assert "add --userns=keep-id to podman run" in result.output
