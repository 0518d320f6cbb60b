"""What the container image promises, in each of its variants."""

import json
import re
import shutil
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from amounts import mostly_long
from container.conftest import Container, run_and_settle
from container.machine import IMAGE, VARIANTS, in_image, podman, podman_environment
from espei_hpc.exit_codes import ExitCode
from fits import Chain
from support import PATIENCE, ROOT, wait_until

LAUNCHERS = {
    "both": {"mpirun", "mpirun.openmpi", "mpirun.mpich"},
    "openmpi": {"mpirun", "mpirun.openmpi"},
    "mpich": {"mpirun", "mpirun.mpich"},
    "none": set[str](),
}
# Beneath every variant: Debian, a script and what it installs, the locked environment.
SHARED_LAYERS = 4


@pytest.mark.parametrize("variant", VARIANTS)
def test_variant_has_the_launchers_of_its_mpis(variant: str, container: Container) -> None:
    result = container.run("bash", "-c", "compgen -c mpirun | sort -u", variant=variant)
    assert set(result.output.split()) == LAUNCHERS[variant]


@pytest.mark.parametrize("variant", mostly_long(*VARIANTS))
def test_stock_espei_runs_in_every_variant(variant: str, container: Container) -> None:
    result = container.run("espei", "--version", variant=variant)
    assert result.code == 0, result.output
    assert "espei version 0.9.1" in result.output


def test_variants_share_the_python_layers(images: None) -> None:
    layers = [
        json.loads(podman("image", "inspect", "--format", "{{json .RootFS.Layers}}", f"{IMAGE}:{variant}"))
        for variant in VARIANTS
    ]
    assert len({tuple(each[:SHARED_LAYERS]) for each in layers}) == 1


def test_image_with_both_mpis_is_below_800_megabytes(images: None) -> None:
    assert int(podman("image", "inspect", "--format", "{{.Size}}", f"{IMAGE}:both")) < 800e6


def test_exit_code_is_that_of_the_command(container: Container) -> None:
    assert container.run("bash", "-c", "exit 65").code == 65


def test_without_a_command_it_explains_itself(container: Container) -> None:
    assert "Run ESPEI fits on a cluster" in container.run().output


@pytest.mark.parametrize(
    "name",
    [
        *("espei", "espei-hpc", "espei-mpi", "pbs-remote-shell"),
        *("run-fit", "start-cluster", "wait-for-cluster"),
    ],
)
def test_command_is_where_the_readme_says(name: str, container: Container) -> None:
    result = container.run("cat", f"/usr/local/bin/{name}")
    assert result.code == 0, result.output
    assert result.output.startswith("#!")


def test_packages_are_those_of_the_lock(container: Container) -> None:
    listing = "import importlib.metadata as m; print(*{f'{d.name}=={d.version}' for d in m.distributions()})"
    result = container.run("python", "-c", listing)
    assert result.code == 0, result.output
    held = {_normal(word) for word in result.output.split()}
    assert held - {_normal("espei-hpc==0.1.0")} == _locked("3.13")


@pytest.mark.parametrize("variant", VARIANTS)
def test_kernel_is_compiled_in_every_variant(variant: str, container: Container) -> None:
    folder = ROOT / "src/espei_hpc/likelihood/compiled"
    modules = [f"espei_hpc.likelihood.compiled.{path.stem}" for path in folder.glob("*.pyx")]
    listing = "import importlib, sys; print(*(importlib.import_module(n).__file__ for n in sys.argv[1:]))"
    result = container.run("python", "-c", listing, *modules, variant=variant)
    assert result.code == 0, result.output
    files = result.output.split()
    assert len(files) == len(modules)
    assert all(file.endswith(".so") for file in files)


def test_compiler_is_not_in_it(container: Container) -> None:
    names = set(container.run("bash", "-c", "compgen -c").output.split())
    assert {name for name in names if re.search(r"^(cc|as|ld)$|g(cc|\+\+)(-\d+)?$", name)} == set()


def test_nothing_in_it_gives_rights(images: None) -> None:
    inside = ["find", "/", "-xdev", "-perm", "/6000", "-type", "f"]
    assert podman("run", "--rm", "--user", "0", f"{IMAGE}:both", *inside) == ""


def test_pip_is_not_in_it(container: Container) -> None:
    assert container.run("python", "-m", "pip", "--version").code != 0


def test_labels_name_version_and_licence(images: None) -> None:
    labels = json.loads(podman("image", "inspect", "--format", "{{json .Labels}}", f"{IMAGE}:both"))
    version = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    for schema in ("org.opencontainers.image.version", "org.label-schema.version"):
        assert labels[schema] == version[1]
    assert labels["org.opencontainers.image.licenses"] == "MIT"
    assert labels["org.opencontainers.image.description"].endswith("MPI: both")


def test_connection_that_breaks_leaves_another_one_alone(container: Container, open_fit: Path) -> None:
    script = open_fit.with_name("tls_connections.py")
    shutil.copy(ROOT / "tests" / script.name, script)
    result = container.run("python", script.name, volume=open_fit.parent)
    assert result.output.endswith(", second: SSLWantReadError\n"), result.output


@pytest.mark.parametrize(
    ("variant", "options"),
    [
        pytest.param("openmpi", ("-n", "3"), marks=pytest.mark.long),
        pytest.param("mpich", ("-n", "3"), marks=pytest.mark.long),
        # Its fits are also stopped, and started from the host.
        pytest.param("both", ("-n", "3"), marks=pytest.mark.long),
        ("both", ("-n", "3", "--launcher", "mpirun.mpich")),
        ("none", ()),
    ],
)
def test_fits_as_an_unknown_user_with_a_read_only_root_and_no_network(
    variant: str, options: tuple[str, ...], container: Container, open_fit: Path
) -> None:
    words = ("espei-mpi", "--in", "x.yaml", "--timeout", f"{PATIENCE / 2:g}", *options)
    result = container.run(*words, variant=variant, volume=open_fit.parent)
    assert result.code == 0, result.output
    assert "2 workers" in result.output
    assert len(Chain.load(open_fit.parent).lnprob) > 0
    assert (open_fit.parent / "fitted.tdb").exists()


def test_asked_to_stop_it_saves_what_it_has(container: Container, endless_open_fit: Path) -> None:
    directory = endless_open_fit.parent
    words = in_image("espei-mpi", "--in", "x.yaml", "-n", "3", volume=directory)
    command = container.commands.start(*words, env=podman_environment())
    command.wait_for_samples()
    # As a batch system or `podman stop` does; podman hands it to the image's process 1.
    command.process.terminate()
    assert command.finish().code == ExitCode.STOPPED, command.output
    assert (directory / "fitted.tdb").exists()
    wait_until(lambda: not container.commands.left(), "nothing is left")


def test_host_command_fits_in_the_image_by_its_name(container: Container, small_fit: Path) -> None:
    words = (ROOT / "entrypoints/espei-mpi", "--image", f"{IMAGE}:both", "--in", small_fit.name, "-n", "3")
    result = run_and_settle(container.commands, *words, env=podman_environment())
    assert result.code == 0, result.output
    assert "2 workers" in result.output
    assert small_fit.with_name("fitted.tdb").exists()


def _normal(requirement: str) -> str:
    return (
        re.sub(r"[-_.]+", "-", requirement.partition("==")[0]).lower() + "==" + requirement.partition("==")[2]
    )


def _locked(python: str) -> set[str]:
    """Return what the lock holds for a version of Python."""
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    lines = (ROOT / "lock" / "espei-hpc.txt").read_text().splitlines()
    pinned = [Requirement(line.rstrip("\\ ")) for line in lines if line[:1].isalnum()]
    return {
        _normal(f"{one.name}{one.specifier}")
        for one in pinned
        if one.marker is None or one.marker.evaluate(environment)
    }
