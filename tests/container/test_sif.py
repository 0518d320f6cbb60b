"""What the Apptainer image promises to an ordinary user, alone and under a host's MPI."""

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from container.conftest import Apptainer
from container.machine import IMAGE, podman
from espei_hpc.exit_codes import ExitCode
from fits import Chain, in_series
from native.test_user_code import have_a_model
from support import Command, Result, let_anybody_write, mpirun, wait_until

# The launchers of Debian's own packages, as installed on this host.
HOST_LAUNCHERS = {
    "openmpi": "mpirun.openmpi --oversubscribe --bind-to none",
    "mpich": "mpirun.mpich",
}
LIBRARIES = {"openmpi": "openmpi/lib/libmpi.so.40", "mpich": "mpich/lib/libmpi.so.12"}
# Only large messages find out whether ranks in user namespaces of their own really reach each other.
WORLD = """
from mpi4py.MPI import COMM_WORLD as world
message = bytearray(b"x" * 2_000_000) if world.rank == 0 else bytearray(2_000_000)
world.Bcast(message)
assert message.count(b"x") == 2_000_000
print(f"world of {world.size}\\n", end="", flush=True)
"""


@pytest.fixture
def place_of_the_host() -> Iterator[Path]:
    """A directory that any user may write, and that no container has by itself."""
    with tempfile.TemporaryDirectory(dir="/opt", prefix="espei-hpc-test-") as place:
        let_anybody_write(Path(place))
        yield Path(place)


def test_its_own_test_passes(apptainer: Apptainer) -> None:
    result = apptainer.host("apptainer", "test", apptainer.sif)
    assert result.code == 0, result.output
    for line in ("espei version 0.9.1", "Open MPI: a world of 2", "MPICH: a world of 2"):
        assert line in result.output


def test_help_names_the_commands(apptainer: Apptainer) -> None:
    result = apptainer.host("apptainer", "run-help", apptainer.sif)
    assert "espei-mpi --in x.yaml" in result.output
    for heading in ("NAME", "SYNOPSIS", "COMMANDS", "EXIT CODES", "SEE ALSO"):
        assert re.search(rf"^ *{heading}$", result.output, re.MULTILINE), result.output


def test_labels_of_the_image_are_kept(apptainer: Apptainer) -> None:
    inspected = apptainer.host("apptainer", "--quiet", "inspect", "--json", apptainer.sif)
    held = json.loads(inspected.output)["data"]["attributes"]["labels"]
    image = json.loads(podman("image", "inspect", "--format", "{{json .Labels}}", f"{IMAGE}:both"))
    assert {name: held.get(name) for name in image} == image


def test_run_passes_the_command_and_its_exit_code_through(apptainer: Apptainer) -> None:
    assert apptainer.host("apptainer", "run", apptainer.sif, "bash", "-c", "exit 65").code == 65


def test_commands_that_it_installs_on_the_host_run_in_it(apptainer: Apptainer) -> None:
    installed = apptainer.host("apptainer", "run", apptainer.sif, "install", "bin")
    assert installed.code == 0, installed.output
    for name in ("espei-mpi", "espei-hpc"):
        result = apptainer.host(apptainer.commands.directory / "bin" / name, "--version")
        assert (result.code, "espei-hpc, version " in result.output) == (0, True), result.output


def test_environment_is_the_images_whatever_the_caller_has(apptainer: Apptainer) -> None:
    words = json.loads(podman("image", "inspect", "--format", "{{json .Config.Env}}", f"{IMAGE}:both"))
    image = dict(word.split("=", 1) for word in words)
    # Apptainer's own business: the caller's home, and a container engine's mark.
    expected = {name: value for name, value in image.items() if name not in ("HOME", "container")}
    others = dict.fromkeys((name for name in expected if name != "PATH"), "7")
    result = apptainer.exec("env", "--null", env=others | {"PYTHONPATH": "/elsewhere"})
    inside = dict(word.split("=", 1) for word in result.output.split("\0") if word)
    assert {name: inside.get(name) for name in expected} == expected
    assert "PYTHONPATH" not in inside


def test_packages_of_the_caller_are_not_imported(apptainer: Apptainer) -> None:
    shadow = apptainer.commands.directory / ".local/lib/python3.13/site-packages/espei.py"
    shadow.parent.mkdir(parents=True)
    shadow.write_text("raise SystemExit('the caller\\'s own module')\n")
    assert "espei version 0.9.1" in apptainer.exec("espei", "--version").output


def test_espei_mpi_fits_the_same_chain_as_stock_espei(apptainer: Apptainer) -> None:
    directory = apptainer.commands.directory
    expected = _stock_chain(apptainer)
    ours = apptainer.exec("espei-mpi", "--in", "x.yaml", "-n", "3")
    assert ours.code == 0, ours.output
    assert Chain.load(directory).equals(expected)
    assert (directory / "fitted.tdb").exists()


@pytest.mark.parametrize("family", HOST_LAUNCHERS)
def test_host_launcher_starts_one_world_in_it(family: str, apptainer: Apptainer) -> None:
    # What `espei-hpc rank` does for itself: turn MPI on, with the library of the launcher's family.
    library = f"MPI4PY_LIBMPI=/opt/espei/mpi/{LIBRARIES[family]}"
    turn_on = ["env", "--unset=MPI4PY_MPIABI", "--unset=MPI4PY_RC_INITIALIZE", library]
    start = [*HOST_LAUNCHERS[family].split(), "-n", "3"]
    rank = ["apptainer", "--quiet", "exec", str(apptainer.sif), *turn_on, "python", "-c", WORLD]
    result = apptainer.host(*start, *rank)
    assert result.code == 0, result.output
    assert result.output.count("world of 3") == 3


# With the other family: test_podman_ranks.py.
@pytest.mark.parametrize("family", ["openmpi", pytest.param("mpich", marks=pytest.mark.long)])
def test_host_launcher_runs_the_ranks_of_a_fit_in_it(family: str, apptainer: Apptainer) -> None:
    result = _espei_mpi(apptainer, "--in", "x.yaml", "-n", "3", "--launcher", HOST_LAUNCHERS[family])
    assert result.code == 0, result.output
    assert "2 workers" in result.output
    assert len(Chain.load(Path(apptainer.commands.directory)).lnprob) > 0


@pytest.mark.parametrize(
    "launcher",
    [None, HOST_LAUNCHERS["openmpi"], pytest.param(HOST_LAUNCHERS["mpich"], marks=pytest.mark.long)],
)
def test_fit_runs_where_the_job_has_a_tmpdir_of_its_own(
    launcher: str | None, apptainer: Apptainer, place_of_the_host: Path
) -> None:
    options = ("--launcher", launcher) if launcher else ("--host-mpi", "image")
    tmpdir = {"TMPDIR": str(place_of_the_host)}
    result = _espei_mpi(apptainer, "--in", "x.yaml", "-n", "3", *options, env=tmpdir)
    assert result.code == 0, result.output
    assert "2 workers" in result.output


def test_code_of_the_user_from_another_directory_gives_the_same_chain_as_stock_espei(
    apptainer: Apptainer, place_of_the_host: Path
) -> None:
    directory, code = apptainer.commands.directory, str(place_of_the_host)
    have_a_model(directory / "x.yaml", place_of_the_host)
    let_anybody_write(place_of_the_host)
    expected = _stock_chain(apptainer, "--bind", code, "--env", f"PYTHONPATH={code}")
    ours = _espei_mpi(apptainer, "--in", "x.yaml", "-n", "3", "--user-code", code)
    assert ours.code == 0, ours.output
    assert Chain.load(directory).equals(expected)


def test_doctor_finds_one_world_in_it(apptainer: Apptainer) -> None:
    result = apptainer.exec("espei-hpc", "doctor")
    assert result.code == 0, result.output
    assert "one world of 3 ranks" in result.output
    assert "inside Apptainer" in result.output


def test_doctor_finds_one_world_of_the_hosts_launcher(apptainer: Apptainer) -> None:
    before = set(apptainer.commands.directory.iterdir())
    result = _espei_mpi(apptainer, "--doctor", "--launcher", HOST_LAUNCHERS["mpich"])
    assert result.code == 0, result.output
    assert "one world of 3 ranks" in result.output
    left = {path.name for path in set(apptainer.commands.directory.iterdir()) - before}
    assert not [name for name in left if "doctor" in name]


@pytest.mark.long
def test_launcher_of_the_mpi_asked_for_starts_the_ranks(apptainer: Apptainer) -> None:
    prefix = mpirun("mpich").parents[1]
    result = _espei_mpi(apptainer, "--doctor", "--host-mpi", str(prefix))
    assert result.code == 0, result.output
    assert f"{mpirun('mpich')}: one world of 3 ranks" in result.output
    assert "MPI: bind: " in result.output


def test_signal_to_all_processes_and_so_the_end_of_the_image_loses_no_sample(
    endless_apptainer: Apptainer,
) -> None:
    fit = _start_iterating(endless_apptainer)
    # First those that mount the image, so that every process that is to save something has lost it.
    for process in (*_mounting(fit), *fit.processes()):
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    ended = fit.finish()
    directory = endless_apptainer.commands.directory
    assert ended.code == ExitCode.STOPPED, ended.output
    assert (directory / "fitted.tdb").exists()
    assert not (directory / "x.run" / "lock").exists()
    wait_until(lambda: not fit.processes(), "nothing is left")


@pytest.mark.parametrize("family", ["mpich", pytest.param("openmpi", marks=pytest.mark.long)])
def test_killed_launcher_leaves_neither_mounts_nor_shared_memory(
    family: str, endless_apptainer: Apptainer
) -> None:
    fit = _start_iterating(endless_apptainer, "--launcher", HOST_LAUNCHERS[family])
    mounting, shared = _mounting(fit), _shared_memory(fit)
    assert shared
    launcher = HOST_LAUNCHERS[family].split()[0]
    (found,) = (one for one in fit.processes() if Path(one.cmdline()[0]).name == launcher)
    found.kill()
    # A lost cluster is started again.
    fit.wait_for_output("resuming after iteration")
    wait_until(lambda: not _running(mounting), "the mounts of fit and ranks are gone")
    # A signal before the fit samples again would end it with the signal's own code.
    wait_until(
        lambda: "sampling begins" in fit.output.partition("resuming after iteration")[2], "it samples again"
    )
    fit.process.terminate()
    assert fit.finish().code == ExitCode.STOPPED, fit.output
    wait_until(lambda: not fit.processes(), "nothing is left")
    assert not [path for path in shared if path.exists()]


def test_killed_apptainer_does_not_kill_its_fit(endless_apptainer: Apptainer) -> None:
    fit = _start_iterating(endless_apptainer)
    mounting = _mounting(fit)
    (python,) = (one for one in fit.processes() if {"espei_hpc", "fit"} <= set(one.cmdline()))
    parent = python.parent()
    assert parent is not None
    parent.kill()
    fit.finish()
    wait_until(lambda: not fit.processes() and not _running(mounting), "nothing is left")
    assert (endless_apptainer.commands.directory / "fitted.tdb").exists()


def _mounting(fit: Command) -> list[psutil.Process]:
    """Return the processes that mount the image of a fit and its ranks; they have no environment."""
    parents = {parent for process in fit.processes() for parent in process.parents()}
    apptainers = [parent for parent in parents if parent.name() == "starter"]
    found = [child for parent in apptainers for child in parent.children() if "fuse" in child.name()]
    # Of the fit, of the scheduler and of the worker.
    assert len(found) == 3
    return found


def _shared_memory(fit: Command) -> set[Path]:
    """Return the files with which the ranks of a fit share memory."""
    maps = [part.path for process in fit.processes() for part in process.memory_maps()]
    return {Path(path) for path in maps if path.startswith("/dev/shm/") and Path(path).exists()}


def _running(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def _start_iterating(apptainer: Apptainer, *options: str) -> Command:
    """Start a fit from the host, and wait until it has done some iterations."""
    command = apptainer.start(
        "bash", _script(apptainer), "--image", apptainer.sif, "--in", "x.yaml", "-n", "2", *options
    )
    command.wait_for_samples(4)
    return command


def _espei_mpi(apptainer: Apptainer, *options: str, env: dict[str, str] | None = None) -> Result:
    """Run, on the host, the script that the image brings."""
    return apptainer.host("bash", _script(apptainer), "--image", apptainer.sif, *options, env=env)


def _stock_chain(apptainer: Apptainer, *options: str) -> Chain:
    """Return the chain of stock ESPEI in the image, run in series, and remove its output.

    Args:
        apptainer: has the input, x.yaml.
        options: of Apptainer.
    """
    directory = apptainer.commands.directory
    serial = in_series(directory / "x.yaml")
    stock = apptainer.host("apptainer", "exec", *options, apptainer.sif, "espei", "--in", serial)
    assert stock.code == 0, stock.output
    chain = Chain.load(directory)
    for name in ("trace.npy", "lnprob.npy", "fitted.tdb"):
        (directory / name).unlink()
    return chain


def _script(apptainer: Apptainer) -> Path:
    script = apptainer.commands.directory / "espei-mpi"
    script.write_text(apptainer.exec("cat", "/usr/local/bin/espei-mpi").output)
    return script
