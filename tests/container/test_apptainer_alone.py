"""The image that Apptainer alone builds, as an ordinary user, beside the one by way of a container engine."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from container.conftest import Apptainer
from container.machine import BASE, CA_BUNDLE, HERE, pip_configuration, podman
from fits import Chain
from support import ROOT, Commands

pytestmark = [pytest.mark.long, pytest.mark.timeout(7200)]


@pytest.fixture(scope="module")
def alone(open_place: Path, images: None) -> Iterator[Path]:
    """A SIF, built in a clone by an ordinary user with nothing but Apptainer."""
    clone = open_place / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    # This machine has no registry.
    podman("save", "--quiet", "--format", "docker-archive", "--output", clone / "debian.tar", BASE)
    secrets = clone / "secrets"
    secrets.mkdir()
    (secrets / "pip.conf").write_text(pip_configuration())
    if CA_BUNDLE.exists():
        shutil.copy(CA_BUNDLE, secrets / "ca.crt")
    subprocess.run(["chown", "-R", "nobody:nogroup", str(clone)], check=True)
    words = [
        "--build-arg=bootstrap=docker-archive",
        "--build-arg=base=debian.tar",
        "--build-arg=secrets=secrets",
    ]
    build = ["apptainer", "build", "--notest", *words, "espei.sif", "apptainer.def"]
    made = Commands(clone).start(*_with_a_home(clone), HERE / "as-user", clone, *build).finish(seconds=3600)
    assert made.code == 0, made.output
    yield clone / "espei.sif"
    shutil.rmtree(clone)


def _with_a_home(home: Path) -> list[str | Path]:
    """Return the command that runs another where the user's home exists: a build mounts it."""
    passwd = home / "passwd"
    lines = [line.split(":") for line in Path("/etc/passwd").read_text().splitlines()]
    passwd.write_text(
        "".join(
            ":".join([*line[:5], str(home) if line[0] == "nobody" else line[5], line[6]]) + "\n"
            for line in lines
        )
    )
    return ["unshare", "--mount", "bash", "-c", f'mount --bind {passwd} /etc/passwd && exec "$@"', "bash"]


def listed(apptainer: Apptainer, image: Path) -> set[str]:
    """Return the names of all files that something in the image has put there, and where links lead."""
    found = apptainer.host(
        "apptainer", "--quiet", "exec", image, "find", "/opt", "/usr", "-xdev", "-printf", "%p %l\\n"
    )
    return set(found.output.splitlines())


def test_it_holds_the_same_files(alone: Path, apptainer: Apptainer) -> None:
    ours, other = listed(apptainer, alone), listed(apptainer, apptainer.sif)
    assert sorted(ours ^ other) == []


def test_it_has_the_same_variables(alone: Path, apptainer: Apptainer) -> None:
    first, second = (
        apptainer.host("apptainer", "--quiet", "exec", "--cleanenv", image, "env").output.splitlines()
        for image in (alone, apptainer.sif)
    )
    ours, other = (
        {line for line in lines if not line.startswith(("APPTAINER", "SINGULARITY"))}
        for lines in (first, second)
    )
    assert ours ^ other == set()


def test_its_own_test_passes(alone: Path, apptainer: Apptainer) -> None:
    result = apptainer.host("apptainer", "test", alone)
    assert result.code == 0, result.output
    for line in ("Open MPI: a world of 2", "MPICH: a world of 2"):
        assert line in result.output


def test_it_fits(alone: Path, apptainer: Apptainer) -> None:
    result = apptainer.host("apptainer", "exec", alone, "espei-mpi", "--in", "x.yaml", "-n", "3")
    assert result.code == 0, result.output
    assert len(Chain.load(Path(apptainer.commands.directory)).lnprob) > 0
