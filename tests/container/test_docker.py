"""The lines of the pages for Docker, on a real daemon, as an ordinary user."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from amounts import few_and_many
from container.docker import Docker, for_builds, with_image
from container.machine import IMAGE, SOMEONE, make, run
from docs.documents import blocks, lines_of
from espei_hpc.exit_codes import SIGNAL_BASE, ExitCode
from fits import Chain
from support import PATIENCE, ROOT, Command, Commands, Result, environment, wait_until
from terminal import HIDE, SHOW, Terminal, in_control

pytestmark = pytest.mark.needs("podman", "root", "Docker", "iproute2")

LINE = "docker run "
OPTION = '--user "$(id -u):$(id -g)"'
README, IMAGES = (
    next(
        line.replace("mcmc.yaml", "x.yaml")
        for block in blocks(ROOT / page)
        for line in lines_of(block)
        if line.startswith(LINE)
    )
    for page in ("README.md", "docs/images.md")
)


@pytest.fixture(scope="module")
def docker(images: None) -> Iterator[Docker]:
    """A daemon that has the image."""
    with with_image() as running:
        yield running


@dataclass
class User:
    """An ordinary user of Docker, in a directory of theirs with an input, x.yaml."""

    commands: Commands
    docker: Docker

    @property
    def directory(self) -> Path:
        """Where they work."""
        return self.commands.directory

    def words(self, line: str) -> list[str]:
        """Return the command that runs a line of a shell as this user."""
        user, group = SOMEONE.split(":")
        return ["setpriv", "--reuid", user, "--regid", group, "--clear-groups", "bash", "-euc", line]

    def start(self, line: str) -> Command:
        """Start a line of a shell."""
        return self.commands.start(*self.words(line), env=self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """Their environment."""
        return self.docker.environment | {"HOME": str(self.directory)}

    def run(self, line: str) -> Result:
        """Run a line of a shell to its end."""
        return self.start(line).finish()


@pytest.fixture
def user(docker: Docker, open_fit: Path, commands: Commands) -> User:
    """A user with an input of some iterations."""
    commands.directory = open_fit.parent
    return User(commands, docker)


@pytest.fixture
def endless_user(docker: Docker, endless_open_fit: Path, commands: Commands) -> User:
    """A user with an input of more iterations than anybody waits for."""
    commands.directory = endless_open_fit.parent
    return User(commands, docker)


def test_line_of_the_readme_runs_stock_espei_and_its_files_are_the_users(user: User) -> None:
    assert README.endswith("espei --in x.yaml")
    result = user.run(README)
    assert result.code == 0, result.output
    for name in ("trace.npy", "lnprob.npy", "fitted.tdb"):
        made = (user.directory / name).stat()
        assert f"{made.st_uid}:{made.st_gid}" == SOMEONE


def test_line_of_the_images_page_fits_with_the_images_own_mpirun(user: User) -> None:
    result = user.run(f"{IMAGES} -n 3")
    assert result.code == 0, result.output
    assert "2 workers" in result.output
    assert np.all(Chain.load(user.directory).lnprob != 0)


@few_and_many("times", 1, 10)
def test_stopped_by_docker_stop_it_ends_with_75_and_the_same_line_resumes_it(
    times: int, endless_user: User
) -> None:
    user = endless_user
    # A machine that does all tests at once may take longer than the 10 s that docker gives.
    patience = () if times > 1 else ("--time", f"{PATIENCE:g}")
    for number in range(times):
        fit = user.start(f"{IMAGES} -n 3".replace(LINE, f"{LINE}--name fit-{number} "))
        fit.wait_for_samples()
        user.docker.run("stop", *patience, f"fit-{number}")
        stopped = fit.finish()
        assert stopped.code == ExitCode.STOPPED, stopped.output
        assert (user.directory / "fitted.tdb").exists()
        assert not (user.directory / "x.run" / "lock").exists()
        assert number == 0 or "resuming after iteration" in stopped.output


def test_stopped_while_its_cluster_starts_it_ends_at_once(user: User) -> None:
    fit = user.start(f"{IMAGES} -n 3".replace(LINE, f"{LINE}--name starting "))
    fit.wait_for_output("starting the cluster")
    user.docker.run("stop", "--time", f"{PATIENCE:g}", "starting")
    stopped = fit.finish()
    assert stopped.code == SIGNAL_BASE + signal.SIGTERM, stopped.output
    assert "Traceback" not in stopped.output


def test_fit_is_drawn_on_a_terminal_and_ctrl_c_ends_it_with_75(endless_user: User) -> None:
    user, terminal = endless_user, Terminal()
    line = f"{IMAGES} -n 3".replace(LINE, f"{LINE}-it ")
    env = environment(user.commands.tag) | user.environment
    fit = in_control(user.words(line), user.directory, env, terminal)
    wait_until(lambda: b"s per iteration" in terminal.seen, "the display")
    terminal.press(b"\x03")
    assert fit.wait(timeout=PATIENCE) == ExitCode.STOPPED, terminal.seen.decode()
    assert terminal.seen.rfind(SHOW) > terminal.seen.rfind(HIDE)


def test_files_that_the_containers_user_may_not_write_are_refused_with_the_option(user: User) -> None:
    user.directory.chmod(0o755)
    assert OPTION in IMAGES
    result = user.run(IMAGES.replace(f"{OPTION} ", ""))
    assert result.code == ExitCode.CANNOT_CREATE, result.output
    assert OPTION in result.output


@pytest.mark.needs("Apptainer")
def test_docker_builds_the_image_and_apptainer_makes_a_sif_of_it(images: None, tmp_path: Path) -> None:
    sif, words = tmp_path / "espei.sif", ("espei", "--version")
    settings = (f"sif={sif}", f"image_archive={tmp_path}/archive.tar")
    with for_builds() as docker:
        make("sif", "none", tmp_path, *settings, engine="docker", env=docker.environment)
        version = docker.run("run", "--rm", "--network", "none", f"{IMAGE}:none", *words)
    assert version == run("apptainer", "exec", sif, *words) != ""
