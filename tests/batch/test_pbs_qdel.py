"""A fit in an image whose job is deleted, by PBS's signals to all processes of the job's session."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from amounts import few_and_many
from batch.pbs.job import KILL_SECONDS, Job, example_script
from container.machine import IMAGE
from container.rootless import settings, users_place
from fits import Chain, save_often, write_fit
from support import PATIENCE, Commands, let_anybody_write, wait_until

pytestmark = [pytest.mark.needs("Apptainer", "Debian's MPIs")]
ITERATIONS = 5
LAUNCHERS = ("mpirun", "mpiexec", "srun")


HOSTS = pytest.mark.parametrize(
    ("example", "host"),
    [
        ("one-node", "with a launcher"),
        ("one-node", "without a launcher"),
        pytest.param("image-mpi", "with a launcher", marks=pytest.mark.long),
    ],
)


def programs(host: str, place: Path) -> str:
    """Return PATH of a host: all programs of this one, or all but launchers."""
    if host == "with a launcher":
        return "/usr/bin:/bin"
    directory = Path(tempfile.mkdtemp(dir=place))
    directory.chmod(0o755)
    for program in Path("/usr/bin").iterdir():
        if not program.name.startswith(LAUNCHERS):
            (directory / program.name).symlink_to(program)
    return str(directory)


def start(commands: Commands, place: Path, sif: Path, example: str, path: str) -> Job:
    """Start an example in a job, and wait until iterations are saved."""
    return start_script(commands, place, example_script(example, sif), path)


def start_script(
    commands: Commands, place: Path, text: str, path: str, env: dict[str, str] | None = None
) -> Job:
    """Start a script in a job, and wait until iterations are saved."""
    commands.directory = directory = Path(tempfile.mkdtemp(dir=place))
    save_often(write_fit(directory, 20_000))
    script = directory / "job.pbs"
    script.write_text(text)
    let_anybody_write(directory)
    job = Job(commands, script, 2, path, env)
    # The first few are too few to write a database.
    wait_until(lambda: len(list(directory.glob("x.run/checkpoint/*.npz"))) > ITERATIONS, "some iterations")
    return job


def delete_and_check(job: Job, seconds: float, commands: Commands) -> None:
    """Delete a job, and check that its fit has saved all and ended with 75."""
    job.delete(seconds)
    result = job.command.finish()
    assert result.code == 75, result.output
    check_saved(commands.directory)
    wait_until(lambda: not commands.left(), "the job leaves nothing behind")


def check_saved(directory: Path) -> None:
    """Check that a fit has saved all and released its lock."""
    assert len(Chain.load(directory).lnprob) > 0
    assert (directory / "fitted.tdb").exists()
    assert not (directory / "x.run" / "lock").exists()
    assert not list(directory.glob("core*"))


@HOSTS
@few_and_many("times", 1, 10)
def test_deleted_job_saves_its_fit_and_ends_with_75(
    times: int, example: str, host: str, commands: Commands, open_place: Path, sif: Path
) -> None:
    path = programs(host, open_place)
    for _ in range(times):
        job = start(commands, open_place, sif, example, path)
        # A machine that does all tests at once may take longer than PBS gives.
        delete_and_check(job, KILL_SECONDS if times > 1 else PATIENCE, commands)


@pytest.fixture(scope="module")
def users_podman(images: None) -> Iterator[Path]:
    """The place of a user of podman."""
    with users_place("both") as place:
        yield place


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("options", ["", "--launcher mpirun.openmpi"], ids=["image", "host"])
def test_deleted_job_with_podman_saves_its_fit_and_ends_with_75(
    options: str, commands: Commands, open_place: Path, users_podman: Path
) -> None:
    words = f"--image {IMAGE}:both --in x.yaml {options}"
    script = f'cd "$PBS_O_WORKDIR"\nexec bash {users_podman}/espei-mpi {words}\n'
    for _ in range(10):
        job = start_script(commands, open_place, script, "/usr/bin:/bin", settings(users_podman))
        delete_and_check(job, KILL_SECONDS, commands)


@pytest.mark.parametrize(
    ("example", "host"),
    [("one-node", "without a launcher"), pytest.param("one-node", "with a launcher", marks=pytest.mark.long)],
)
def test_fit_of_a_killed_job_saves_and_ends(
    example: str, host: str, commands: Commands, open_place: Path, sif: Path
) -> None:
    job = start(commands, open_place, sif, example, programs(host, open_place))
    job.kill()
    job.command.finish()
    wait_until(lambda: not commands.left(), "the job leaves nothing behind")
    check_saved(commands.directory)
