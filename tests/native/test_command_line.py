"""What espei-mpi and its single steps make of their words, before anything runs."""

import contextlib
import json
import re
import shutil
import socket
from pathlib import Path

import pytest
import yaml

from amounts import mostly_long
from fits import write_fit
from made_once import made_once
from support import BIN, EXAMPLE, Commands, mpirun


@pytest.mark.quick
def test_dry_run_prints_the_commands_and_makes_nothing(commands: Commands, small_fit: Path) -> None:
    before = set(small_fit.parent.iterdir())
    launcher = f"{mpirun('mpich')} -bind-to none"
    result = commands.run(
        *("espei-mpi", "--in", "x.yaml", "-n", "4", "--launcher", launcher, "--interface", "ib0"),
        *("--min-workers", "2", "--dry-run"),
    )
    hpc = BIN.resolve() / "espei-hpc"
    assert result.code == 0
    assert result.output.splitlines() == [
        f"{hpc} prepare --in x.yaml --ranks 4 --interface ib0 --min-workers 2",
        f"{launcher} -n 4 {hpc} rank --run-dir RUN_DIR --id ID",
        f"{hpc} fit --in x.yaml --run-dir RUN_DIR --id ID --min-workers 2",
    ]
    assert {path.name for path in set(small_fit.parent.iterdir()) - before} == {"test-command-1.log"}


def test_dry_run_of_a_cluster_alone_has_no_fit(commands: Commands) -> None:
    result = commands.run("start-cluster", "--scheduler-file", "s.json", "-n", "4", "--dry-run")
    assert result.code == 0, result.output
    assert [line.split()[1] for line in result.output.splitlines()] == ["prepare", "-n"]


def test_dry_run_shows_ranks_inside_an_apptainer_image(commands: Commands, tmp_path: Path) -> None:
    apptainer = stand_in_for_an_engine(tmp_path / "bin" / "apptainer", "espei.sif")
    words = [
        "espei-mpi",
        "--in",
        "x.yaml",
        "-n",
        "4",
        "--launcher",
        "srun --mpi=pmi2",
        "--image",
        "espei.sif",
    ]
    path = {"PATH": f"{apptainer.parent}:{BIN}:/usr/bin:/bin"}
    srun = apptainer.with_name("srun")
    srun.touch(mode=0o755)  # that it is there is all that is looked at
    result = commands.run(*words, "--dry-run", env=path)
    assert result.code == 0, result.output
    inside = f"{apptainer} exec espei.sif espei-hpc"
    assert f"srun --mpi=pmi2 -n 4 {inside} rank --run-dir RUN_DIR --id ID" in result.output.splitlines()


@pytest.mark.parametrize("image", mostly_long("some-image", "espei.sif"))
def test_users_code_is_bound_into_the_container_if_it_lies_outside_its_directory(
    image: str, commands: Commands, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    engine = stand_in_for_an_engine(tmp_path / "bin" / "engine", image)
    for name in ("apptainer", "podman", "mpirun"):
        engine.with_name(name).symlink_to(engine)
    (tmp_path / "code").mkdir()
    outside = tmp_path_factory.mktemp("code outside")
    words = ("espei-mpi", "x.yaml", "-n", "4", "--image", image, "--launcher", "mpirun", "--dry-run")
    path = {"PATH": f"{engine.parent}:{BIN}:/usr/bin:/bin"}
    inside, bound = (
        commands.run(*words, "--user-code", directory, env=path) for directory in ("code", str(outside))
    )
    assert (inside.code, bound.code) == (0, 0), bound.output
    assert "code:" not in inside.output
    lines = [line for line in bound.output.splitlines() if f"{outside}:{outside}" in line]
    assert len(lines) == 3, bound.output  # prepare, ranks and fit


def stand_in_for_an_engine(path: Path, image: str) -> Path:
    """Make a container engine that runs in no container: it has the commands of this environment."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f'#!/bin/bash\nwhile [[ $1 != {image} ]]; do shift; done\nshift\nPATH={BIN}:$PATH exec "$@"\n'
    )
    path.chmod(0o755)
    return path


@pytest.mark.quick
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["espei-mpi"], "name the input: espei-mpi x.yaml"),
        (["espei-mpi", "--in"], "Option '--in' requires an argument"),
        (["espei-mpi", "--in", "x.yaml", "--ranks", "3"], "No such option '--ranks'"),
        (["espei-mpi", "--in", "x.yaml", "--verify", "0"], "0 is not in the range x>=1"),
        (["espei-mpi", "--in", "x.yaml", "--verify", "9", "--stock-likelihood"], "give one of them"),
        (["espei-mpi", "x.yaml", "y.yaml"], "more than one input: x.yaml and y.yaml"),
        (["start-cluster", "x.yaml", "--scheduler-file", "s.json"], "leave out x.yaml"),
        (["espei-mpi", "--in", "x.yaml", "-n", "three"], "'three' is not a valid integer"),
        (["start-cluster", "-n", "3"], "name the scheduler file with --scheduler-file"),
        (["run-fit", "--in", "x.yaml", "--workers", "none"], "--workers"),
    ],
)
def test_wrong_command_line_is_told_and_exits_64(words: list[str], said: str, commands: Commands) -> None:
    result = commands.run(*words)
    assert result.code == 64, result.output
    assert said in result.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--until 400", "use --until ess=400"),
        ("--until ess=400 --engine espei", "leave out --until, or --engine espei"),
        ("--engine none", "'none' is not one of 'graph', 'espei'"),
        ("--verify none", "--verify"),
        ("--verify 9 --stock-likelihood", "give one of them"),
        ("--time-left tomorrow", "write 3600, 11:59:00 or 1-12:00:00"),
        ("--timeout soon", "--timeout"),
        ("--min-workers 0", "--min-workers"),
        ("--worker-ports 9001:9000", "'9001:9000' is no range of ports; write 9000:9031"),
    ],
)
@pytest.mark.parametrize("cluster", ["-n 3", pytest.param("--scheduler-file s.json", marks=pytest.mark.long)])
def test_fault_in_an_option_that_is_handed_on_is_one_of_espei_mpi(
    options: str, said: str, cluster: str, commands: Commands, small_fit: Path
) -> None:
    result = commands.run("espei-mpi", small_fit, *cluster.split(), *options.split())
    assert result.code == 64, result.output
    line, *others = result.output.splitlines()
    assert line.startswith("espei-mpi: ")
    assert line.endswith(" (espei-mpi --help)")
    assert said in line
    assert not others
    assert not small_fit.with_suffix(".run").exists()


@pytest.mark.parametrize(
    "words", ["start-cluster --scheduler-file s.json", "run-fit x.yaml", "wait-for-cluster"]
)
def test_fault_in_an_option_of_a_single_step_is_one_of_the_step(words: str, commands: Commands) -> None:
    program = words.split()[0]
    result = commands.run(*words.split(), "--timeout", "soon")
    assert result.code == 64, result.output
    assert result.output.startswith(f"{program}: ")
    assert result.output.endswith(f" ({program} --help)\n")
    assert "Usage" not in result.output


def test_input_may_be_named_without_its_option(commands: Commands) -> None:
    with_it = commands.run("espei-mpi", "--in", "x.yaml", "-n", "4", "--dry-run")
    without = commands.run("espei-mpi", "-n", "4", "x.yaml", "--dry-run")
    assert without.code == 0, without.output
    assert without.output == with_it.output


def test_fault_in_an_option_beside_a_cluster_that_is_there_is_one_of_espei_mpi(
    commands: Commands, small_fit: Path
) -> None:
    result = commands.run("espei-mpi", small_fit, "--scheduler-file", "s.json", "--until", "400")
    assert result.code == 64, result.output
    assert re.fullmatch(r"espei-mpi: .*use --until ess=400 .*\(espei-mpi --help\)\n", result.output)


DATED = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (espei-hpc: |iteration |sampling begins).*"


@pytest.fixture
def local_log(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a fit on this machine's cores prints where Dask's default port is taken."""
    return (made_once(tmp_path_factory, "local", _fit_locally) / "test-command-1.log").read_text()


def _fit_locally(directory: Path) -> None:
    path = write_fit(directory, iterations=5)
    with socket.socket() as taken:
        # Another process may have it already: it is taken all the same.
        with contextlib.suppress(OSError):
            taken.bind(("127.0.0.1", 8787))
            taken.listen()
        result = Commands(directory).run("espei-hpc", "fit", path, "--local", "-w", "1")
    assert result.code == 0, result.output


def test_every_line_in_the_log_of_a_fit_has_its_date_and_time(local_log: str) -> None:
    assert local_log
    assert all(re.fullmatch(DATED, line) for line in local_log.splitlines()), local_log


def test_local_fit_leaves_dasks_default_port_to_others(local_log: str) -> None:
    assert local_log
    assert "8787" not in local_log


def test_refusal_in_the_log_of_a_fit_has_its_date_and_time(commands: Commands, small_fit: Path) -> None:
    result = commands.run("espei-hpc", "fit", small_fit)
    assert result.code == 64, result.output
    line = result.output.splitlines()[0]
    assert re.fullmatch(DATED, line), line
    assert "cluster: not specified" in line


def test_ranks_of_a_launcher_are_refused_where_there_is_only_docker(
    commands: Commands, tmp_path: Path
) -> None:
    for name in ("bash", "cat", "dirname", "env", "id", "readlink"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    stand_in_for_an_engine(tmp_path / "docker", "some-image")
    words = ("espei-mpi", "--in", "x.yaml", "--image", "some-image", "--launcher", "srun")
    result = commands.run(BIN / words[0], *words[1:], env={"PATH": str(tmp_path)})
    assert result.code == 64, result.output
    assert "docker's daemon, not --launcher, would start the ranks" in result.output


@pytest.mark.parametrize("command", ["espei-mpi", "espei-hpc"])
def test_version_is_told(command: str, commands: Commands) -> None:
    result = commands.run(command, "--version")
    assert result.code == 0, result.output
    assert result.output.startswith("espei-hpc, version ")


@pytest.mark.quick
def test_help_has_examples(commands: Commands) -> None:
    result = commands.run("espei-mpi", "--help")
    assert result.code == 0
    assert "Examples:" in result.output


def test_plan_tells_ranks_and_writes_nothing(commands: Commands, small_fit: Path) -> None:
    before = set(small_fit.parent.iterdir())
    result = commands.run("espei-hpc", "plan", "--in", small_fit, "--hours", "1", "--cores-per-node", "4")
    assert result.code == 0, result.output
    assert "Recommended: " in result.output
    assert "Within 60 min: " in result.output
    as_json = commands.run("espei-hpc", "plan", "--in", small_fit, "--json")
    assert as_json.code == 0, as_json.output
    assert json.loads(as_json.output)["walkers"] == 12
    assert {path.name for path in set(small_fit.parent.iterdir()) - before} == {
        "test-command-1.log",
        "test-command-2.log",
    }


def test_plan_refuses_an_input_that_samples_nothing(commands: Commands, small_fit: Path) -> None:
    settings = yaml.safe_load(small_fit.read_text())
    settings["generate_parameters"] = yaml.safe_load((EXAMPLE / "generate.yaml").read_text())[
        "generate_parameters"
    ]
    del settings["mcmc"]
    small_fit.write_text(yaml.safe_dump(settings))
    result = commands.run("espei-hpc", "plan", "--in", small_fit)
    assert result.code == 65, result.output
    assert "there is no sampling to plan" in result.output
