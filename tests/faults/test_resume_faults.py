"""Killed, changed and crowded fits (rows 17 to 19 and 22): they go on exactly or say why not."""

import json
import os
import random
import re
import shutil
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
import yaml

from finished_fit import Finished
from fits import Chain, stock_fit, write_fit
from made_once import made_once
from support import BIN, Command, Commands, mpirun, ranks, wait_until

ITERATIONS = 60
MANY_ITERATIONS = 160
"""Enough for thirty kills."""
WHOLE_FIT = 1500.0
"""Seconds in which all iterations are done on a machine that has much else to do."""


@pytest.fixture(scope="module")
def long_stock_chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return Chain.load(stock_fit(tmp_path_factory, ITERATIONS))


@pytest.fixture
def long_fit(tmp_path: Path) -> Path:
    return write_saving_often(tmp_path, ITERATIONS)


def write_saving_often(directory: Path, iterations: int) -> Path:
    """Write a fit that saves often, so that every start gets somewhere."""
    path = write_fit(directory, iterations)
    change(path, "mcmc", save_interval=1)
    return path


def change(path: Path, section: str, **settings: object) -> None:
    content = yaml.safe_load(path.read_text())
    content[section] |= settings
    path.write_text(yaml.safe_dump(content))


def local(commands: Commands, fit: Path, *options: str) -> Command:
    return commands.start(BIN / "espei-hpc", "fit", "--in", fit, "--local", "-w", "2", *options)


def saved(fit: Path) -> int:
    """Iterations in the checkpoint, as the names of its segments tell."""
    names = [path.name for path in fit.with_suffix(".run").glob("checkpoint/*.npz")]
    return max((int(name.split("_")[1].split("-")[1]) for name in names), default=0)


def wait_for_checkpoint(fit: Path, iterations: int = 1) -> None:
    wait_until(lambda: saved(fit) >= iterations, f"a checkpoint of {iterations} iterations")


# What is killed: given the run, the processes that get SIGKILL.
def the_fit(run: Command) -> list[psutil.Process]:
    return [p for p in run.processes() if "--supervisor" in p.cmdline()]


def a_rank(run: Command) -> list[psutil.Process]:
    return random.sample(there, 1) if (there := ranks(run)) else []


def the_script(run: Command) -> list[psutil.Process]:
    return [psutil.Process(run.process.pid)]


def everything(run: Command) -> list[psutil.Process]:
    return run.processes()


TARGETS: list[Callable[[Command], list[psutil.Process]]] = [the_fit, a_rank, the_script, everything]


def advanced_or_over(run: Command, fit: Path, before: int) -> bool:
    return saved(fit) > before or run.process.poll() is not None


def kill(run: Command, target: Callable[[Command], list[psutil.Process]]) -> None:
    for _ in range(100):  # a process may have ended since it was listed
        try:
            for process in target(run) or everything(run):
                process.kill()
            return
        except psutil.NoSuchProcess:
            continue


@pytest.mark.long
def test_fault_09_killed_scheduler_ends_the_run_and_the_fit_goes_on_when_started_again(
    commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    change(small_fit, "mcmc", save_interval=1)
    run = commands.start("espei-mpi", "--in", small_fit, "-n", "2", "--restarts", "0")
    wait_for_checkpoint(small_fit)
    (told,) = small_fit.with_suffix(".run").glob("cluster/*/rank-0.json")
    os.kill(json.loads(told.read_text())["pid"], signal.SIGKILL)
    result = run.finish()
    assert result.code == 69, result.output
    assert re.search(r"cluster: lost after \d+ .*iterations?, all saved", result.output), result.output
    assert commands.left() == []
    assert commands.run("espei-mpi", "--in", small_fit, "-n", "2").code == 0
    assert Chain.load(small_fit.parent).equals(stock_chain)


@pytest.mark.parametrize("family", ["openmpi", pytest.param("mpich", marks=pytest.mark.long)])
def test_fault_11_killed_rank_is_told_with_its_memory_and_the_fit_goes_on_when_started_again(
    family: str, commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    change(small_fit, "mcmc", save_interval=1)
    oversubscribe = " --map-by :OVERSUBSCRIBE" if family == "openmpi" else ""
    words: list[str | Path] = [
        "espei-mpi",
        "--in",
        small_fit,
        "-n",
        "3",
        "--restarts",
        "0",
        "--launcher",
        f"{mpirun(family)}{oversubscribe}",
    ]
    run = commands.start(*words)
    wait_for_checkpoint(small_fit)
    # As the kernel does when memory is short; the launcher then ends all ranks.
    worker = max(ranks(run), key=lambda rank: rank.cpu_times().user)
    worker.kill()
    result = run.finish()
    assert result.code == 69, result.output
    assert "lack of memory" in result.output
    assert re.search(rf"lost worker .*\(pid {worker.pid}\).*GB", result.output), result.output
    assert commands.left() == []
    assert commands.run(*words).code == 0
    assert Chain.load(small_fit.parent).equals(stock_chain)


@pytest.mark.timeout(3000)
@pytest.mark.parametrize(
    ("kills", "iterations"), [(4, ITERATIONS), pytest.param(30, MANY_ITERATIONS, marks=pytest.mark.long)]
)
def test_fault_17_kills_at_random_moments_leave_the_uninterrupted_chain(
    kills: int,
    iterations: int,
    commands: Commands,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    long_fit = write_saving_often(tmp_path, iterations)
    for number in range(kills):
        run = commands.start("espei-mpi", "--in", long_fit, "-n", "3")
        before = saved(long_fit)
        # Half of them wherever the start may be, half while it samples.
        if number % 2:
            wait_until(partial(advanced_or_over, run, long_fit, before), "a checkpoint")
            time.sleep(random.uniform(0, 0.5))
        else:
            time.sleep(random.uniform(0, 8))
        # Each target in turn; the second time round at the other moment.
        kill(run, TARGETS[(number + number // len(TARGETS)) % len(TARGETS)])
        # Without a rank the fit goes on, all of it.
        run.finish(WHOLE_FIT)
        wait_until(lambda: not commands.left(), "the end of all processes")
        assert saved(long_fit) >= before
    result = commands.start("espei-mpi", "--in", long_fit, "-n", "3").finish(WHOLE_FIT)
    assert result.code == 0, result.output
    assert Chain.load(tmp_path).equals(Chain.load(stock_fit(tmp_path_factory, iterations)))


@pytest.mark.long
def test_fault_17_arrays_are_readable_and_right_at_any_kill(
    commands: Commands, long_fit: Path, long_stock_chain: Chain
) -> None:
    whole = {"trace.npy": long_stock_chain.trace, "lnprob.npy": long_stock_chain.lnprob}
    read = 0
    for _ in range(6):
        run = local(commands, long_fit)
        wait_for_checkpoint(long_fit, saved(long_fit) + 1)
        kill(run, everything)
        run.finish()
        # The kill may have come between the two: then there is one, or one is longer.
        for path in filter(Path.exists, (long_fit.parent / name for name in whole)):
            samples = np.load(path)
            assert np.array_equal(samples, whole[path.name][:, : samples.shape[1]])
            read += 1
    assert read > 0


@pytest.mark.quick
def test_fault_18_stopped_fit_goes_on_as_if_it_had_not_been(
    commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    change(small_fit, "mcmc", save_interval=1)
    run = local(commands, small_fit)
    wait_for_checkpoint(small_fit)
    run.process.send_signal(signal.SIGTERM)
    assert run.finish().code == 75, run.output
    done = saved(small_fit)
    assert 0 < done < 30
    again = local(commands, small_fit).finish()
    assert again.code == 0, again.output
    assert f"resuming after iteration {done} of 30" in again.output
    assert Chain.load(small_fit.parent).equals(stock_chain)


@pytest.mark.long
def test_fault_18_fit_without_fixed_random_numbers_goes_on_with_its_own(
    commands: Commands, tmp_path: Path
) -> None:
    fit = write_fit(tmp_path, 40)
    change(fit, "mcmc", deterministic=False, save_interval=5)
    run = local(commands, fit)
    wait_for_checkpoint(fit)
    run.process.send_signal(signal.SIGTERM)
    assert run.finish().code == 75, run.output
    # Two ends of the same beginning are equal, and go through what was there.
    twin = tmp_path / "twin"
    shutil.copytree(tmp_path, twin, ignore=shutil.ignore_patterns("twin", "*.log"))
    first = Chain.load(tmp_path)
    assert local(commands, fit).finish().code == 0
    assert Commands(twin, commands.tag).run(BIN / "espei-hpc", "fit", "--in", "x.yaml", "--local").code == 0
    assert Chain.load(twin).equals(Chain.load(tmp_path))
    assert first.begins_like(Chain.load(tmp_path))


@pytest.mark.long
def test_fault_18_more_iterations_make_a_finished_fit_go_on(
    commands: Commands, tmp_path: Path, stock_chain: Chain
) -> None:
    fit = write_fit(tmp_path, 10)
    assert local(commands, fit).finish().code == 0
    change(fit, "mcmc", iterations=30)
    result = local(commands, fit).finish()
    assert result.code == 0, result.output
    assert Chain.load(tmp_path).equals(stock_chain)


def test_fault_18_finished_fit_says_so_and_starts_no_cluster(
    commands: Commands, finished_fit: Finished
) -> None:
    small_fit = finished_fit.input
    before = {path: path.stat().st_mtime_ns for path in small_fit.parent.glob("*.npy")}
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "3")
    assert result.code == 0, result.output
    assert "already finished: 30 iterations" in result.output
    assert "starting the cluster" not in result.output
    assert {path: path.stat().st_mtime_ns for path in small_fit.parent.glob("*.npy")} == before


@pytest.mark.long
def test_fault_18_lost_outputs_are_written_again_from_the_checkpoint(
    commands: Commands, finished_fit: Finished, stock_chain: Chain
) -> None:
    small_fit = finished_fit.input
    database = (small_fit.parent / "fitted.tdb").read_text()
    for name in ("trace.npy", "lnprob.npy", "fitted.tdb"):
        (small_fit.parent / name).unlink()
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "3")
    assert result.code == 0, result.output
    assert "no cluster is started" in result.output
    assert Chain.load(small_fit.parent).equals(stock_chain)
    assert (small_fit.parent / "fitted.tdb").read_text().splitlines()[10:] == database.splitlines()[10:]


def _other_value(fit: Path) -> None:
    path = next((fit.parent / "datasets").iterdir())
    dataset = json.loads(path.read_text())
    dataset["comment"] = "another"
    path.write_text(json.dumps(dataset))


def _other_database(fit: Path) -> None:
    path = fit.parent / "cu-mg_start.tdb"
    path.write_text(path.read_text() + "\n$ a remark\n")


CHANGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a dataset": (_other_value, "dataset "),
    "the database": (_other_database, "mcmc.input_db has changed"),
    "the prior": (lambda fit: change(fit, "mcmc", prior={"name": "normal"}), "mcmc.prior"),
    "the walkers": (
        lambda fit: change(fit, "mcmc", chains_per_parameter=4),
        "mcmc.chains_per_parameter 2 -> 4",
    ),
    "the symbols": (lambda fit: change(fit, "mcmc", symbols=["VV0000", "VV0001"]), "symbols "),
}


@pytest.fixture(scope="module")
def stopped_fit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a fit that was stopped on its way."""

    def stop(directory: Path) -> None:
        fit = write_saving_often(directory, ITERATIONS)
        run = local(Commands(directory), fit)
        wait_for_checkpoint(fit)
        run.process.send_signal(signal.SIGTERM)
        assert run.finish().code == 75, run.output

    return made_once(tmp_path_factory, "stopped", stop)


# The others differ in what is compared, which tests/unit/fit/test_fingerprint.py looks at too.
@pytest.mark.parametrize(
    ("make", "named"),
    [
        pytest.param(*words, id=name, marks=[] if name == "a dataset" else pytest.mark.long)
        for name, words in CHANGES.items()
    ],
)
def test_fault_19_resume_with_another_problem_is_refused_before_the_cluster_naming_what_changed(
    make: Callable[[Path], None], named: str, commands: Commands, tmp_path: Path, stopped_fit: Path
) -> None:
    shutil.copytree(stopped_fit, tmp_path, dirs_exist_ok=True)
    make(tmp_path / "x.yaml")
    result = commands.run("espei-mpi", "--in", "x.yaml", "-n", "3")
    assert result.code == 65, result.output
    assert named in result.output
    assert "--force-new" in result.output
    assert "starting the cluster" not in result.output
    assert "Traceback" not in result.output


def test_fault_19_force_new_begins_beside_and_keeps_the_earlier_samples(
    commands: Commands, tmp_path: Path, stopped_fit: Path
) -> None:
    shutil.copytree(stopped_fit, tmp_path, dirs_exist_ok=True)
    earlier = Chain.load(tmp_path)
    change(tmp_path / "x.yaml", "mcmc", chains_per_parameter=4, iterations=5)
    result = commands.run("espei-mpi", "--in", "x.yaml", "-n", "3", "--force-new")
    assert result.code == 0, result.output
    assert "x.run.1" in result.output
    assert Chain.load(tmp_path).trace.shape[:2] == (24, 5)
    assert Chain.load(tmp_path / "x.run.1").equals(earlier)


@pytest.mark.long
def test_fault_19_force_new_takes_what_cannot_be_read_aside_too(
    commands: Commands, tmp_path: Path, stopped_fit: Path
) -> None:
    shutil.copytree(stopped_fit, tmp_path, dirs_exist_ok=True)
    (start,) = (tmp_path / "x.run" / "checkpoint").glob("000000_*")
    start.write_bytes(b"")
    for name in ("trace.npy", "lnprob.npy"):  # whose samples nobody can tell
        (tmp_path / name).unlink()
    refused = commands.run("espei-mpi", "--in", "x.yaml", "-n", "3")
    assert refused.code == 65, refused.output
    change(tmp_path / "x.yaml", "mcmc", iterations=3)
    result = commands.run("espei-mpi", "--in", "x.yaml", "-n", "3", "--force-new")
    assert result.code == 0, result.output
    assert (tmp_path / "x.run.1" / "checkpoint").is_dir()


def test_fault_22_second_run_in_a_directory_is_refused_naming_the_first(
    commands: Commands, endless_fit: Path
) -> None:
    run = commands.start(
        "espei-mpi",
        "--in",
        endless_fit,
        "-n",
        "2",
    )
    wait_until(lambda: (endless_fit.with_suffix(".run") / "checkpoint").exists(), "the first run's sampling")
    second = commands.run("espei-mpi", "--in", endless_fit, "-n", "2", env={"SLURM_JOB_ID": ""})
    assert second.code == 69, second.output
    (fit,) = the_fit(run)
    assert f"process {fit.pid} on {os.uname().nodename}" in second.output
    assert "starting the cluster" not in second.output
    run.process.terminate()
    assert run.finish().code in (75, 143)


@pytest.mark.long
def test_fault_22_two_fits_that_write_the_same_files_lose_no_samples(
    commands: Commands, tmp_path: Path, stock_chain: Chain
) -> None:
    fit = write_fit(tmp_path, 30)
    other = tmp_path / "y.yaml"
    shutil.copy(fit, other)
    change(other, "mcmc", chain_std_deviation=0.1)
    both = [local(commands, path) for path in (fit, other)]
    codes = sorted(run.finish().code for run in both)
    assert codes == [0, 73], [run.output for run in both]
    (loser,) = [run for run in both if run.process.returncode == 73]
    assert "not overwritten" in loser.output
    if loser is both[0]:  # its own samples come out under another name
        change(fit, "output", tracefile="t.npy", probfile="l.npy", output_db="f.tdb")
        assert local(commands, fit).finish().code == 0
        for name, new in (("trace", "t"), ("lnprob", "l")):
            (tmp_path / f"{new}.npy").replace(tmp_path / f"{name}.npy")
    assert Chain.load(tmp_path).equals(stock_chain)


@pytest.mark.needs("root")
def test_fault_20_full_disk_is_told_and_the_fit_goes_on_when_there_is_room(
    commands: Commands, long_fit: Path, long_stock_chain: Chain
) -> None:
    # A small file system of its own for the run directory, seen by these processes alone.
    script = f"""
        mkdir -m 700 x.run && mount -t tmpfs -o size=160k,mode=700 tmpfs x.run
        {BIN}/espei-hpc fit --in x.yaml --local -w 2; echo "first: $?"
        mount -o remount,size=64m x.run
        {BIN}/espei-hpc fit --in x.yaml --local -w 2; echo "second: $?"
    """
    result = commands.run("unshare", "--mount", "bash", "-c", script)
    assert "first: 73" in result.output, result.output
    assert "No space left on device" in result.output
    assert "is intact" in result.output
    assert "Traceback" not in result.output
    assert "resuming after iteration" in result.output
    assert "second: 0" in result.output, result.output
    assert Chain.load(long_fit.parent).equals(long_stock_chain)
