"""Every example for Slurm does what it says, submitted as it stands.

Only the three lines are changed that its user changes, and its size, to that of the nodes here.
"""

import re
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
import yaml

from amounts import mostly_long
from batch.slurm import HEAD, NODES
from batch.slurm.login import UNFINISHED, Login
from batch.test_slurm_fit import peers_of_scheduler
from container.machine import HERE as CONTAINER
from fits import Chain, in_series, write_fit
from support import EXAMPLE, ROOT, Commands, let_anybody_write, wait_until

ITERATIONS = 30
FEW = 4
"""For a fit of which only the end counts."""
MORE = 80
"""For a fit that is interrupted on its way."""


@pytest.fixture(scope="session")
def image_chain(sif: Path, open_place: Path) -> Chain:
    """The chain of the small fit as stock ESPEI computes it in the image."""
    return stock_in_image(sif, open_place / "stock", ITERATIONS)


@pytest.fixture(scope="session")
def longer_image_chain(sif: Path, open_place: Path) -> Chain:
    """The same of more iterations."""
    return stock_in_image(sif, open_place / "stock-more", MORE)


def stock_in_image(sif: Path, directory: Path, iterations: int) -> Chain:
    """Run stock ESPEI in series in the image, in a directory of its own that any user may write."""
    directory.mkdir(mode=0o777)
    serial = in_series(write_fit(directory, iterations))
    let_anybody_write(directory)
    words = ("apptainer", "--quiet", "exec", sif, "espei", "--in", serial)
    result = Commands(directory).run(CONTAINER / "as-user", directory, *words)
    assert result.code == 0, result.output
    return Chain.load(directory)


def example(slurm: Login, name: str, image: Path | str, nodes: int = 1, ranks_per_node: int = 2) -> Path:
    """Copy an example to the user, with its three lines changed; the inputs have its names already."""
    text = (ROOT / "slurm-examples" / f"{name}.sbatch").read_text()
    for pattern, line in (
        ("#SBATCH --account=.*", "#SBATCH --account=physics"),
        ("#SBATCH --nodes=.*", f"#SBATCH --nodes={nodes}"),
        ("#SBATCH --ntasks-per-node=.*", f"#SBATCH --ntasks-per-node={ranks_per_node}"),
        ("image=espei.sif", f"image={image}"),
    ):
        text, number = re.subn(f"^{pattern}$", line, text, flags=re.MULTILINE)
        assert number == 1, pattern
    path = slurm.directory / f"{name}.sbatch"
    path.write_text(text)
    slurm.own()
    return path


def samples(slurm: Login, job: str, restarts: int, least: int = 1) -> bool:
    """Whether the start after so many restarts has told of an iteration, the first or a later one."""
    before, _, after = slurm.output(job).rpartition("cluster ready")
    told = re.findall(r"^[\d-]+ [\d:]+ iteration (\d+)", after, re.MULTILINE)
    return before.count("cluster ready") == restarts and any(int(number) >= least for number in told)


def suspend_fit(slurm: Login, job: str) -> psutil.Process:
    """Suspend the process of a fit, not its ranks: however fast the host is, it gets no further."""
    (host, *_) = slurm.hosts(job)
    (fit,) = slurm.find("espei_hpc fit", host)
    fit.suspend()
    return fit


def restarted(slurm: Login, job: str, times: int) -> bool:
    """Whether Slurm has started a job again so often."""
    known = slurm.job(job)
    assert known["JobState"] in UNFINISHED, slurm.output(job)
    return known["Restarts"] == str(times)


def started_by_bash(slurm: Login, script: Path) -> tuple[str, str]:
    """Run a script that submits itself twice, and return the ids of the two jobs."""
    result = slurm.run("bash", script)
    assert result.code == 0, result.output
    first, second = re.findall(r"(\d+): ", result.output)
    return first, second


def use_scheduler_file(path: Path) -> None:
    settings = yaml.safe_load(path.read_text())
    settings["mcmc"]["scheduler"] = "my_scheduler.json"
    path.write_text(yaml.safe_dump(settings))


@pytest.mark.parametrize("name", [pytest.param("one-node", marks=pytest.mark.long), "image-mpi"])
def test_fit_on_one_node_equals_stock(name: str, slurm: Login, sif: Path, image_chain: Chain) -> None:
    write_fit(slurm.directory, ITERATIONS)
    job = slurm.sbatch(example(slurm, name, sif))
    assert slurm.finish(job)["ExitCode"] == "0:0", slurm.output(job)
    assert "cluster ready: 1 worker\n" in slurm.output(job)
    assert Chain.load(slurm.directory).equals(image_chain)
    slurm.wait_until_nothing_runs()


@pytest.mark.parametrize("name", ["many-nodes", "host-mpi"])
def test_fit_on_many_nodes_has_workers_on_all_and_equals_stock(
    name: str, slurm: Login, sif: Path, image_chain: Chain
) -> None:
    write_fit(slurm.directory, ITERATIONS)
    job = slurm.sbatch(example(slurm, name, sif, nodes=4, ranks_per_node=1))
    slurm.wait_for_output(job, f"iteration 1 of {ITERATIONS}")
    assert peers_of_scheduler(slurm) == {slurm.cluster.hosts[node].address for node in NODES}
    assert slurm.finish(job)["ExitCode"] == "0:0", slurm.output(job)
    assert Chain.load(slurm.directory).equals(image_chain)
    slurm.wait_until_nothing_runs()


@pytest.mark.timeout(1500)
def test_long_fit_goes_on_after_two_time_limits_and_equals_stock(
    slurm: Login, sif: Path, longer_image_chain: Chain
) -> None:
    write_fit(slurm.directory, MORE)
    job = slurm.sbatch(example(slurm, "long-fit", sif, nodes=2, ranks_per_node=1))
    for restarts in range(2):
        # A job in which no iteration was saved would rightly not start again.
        wait_until(partial(samples, slurm, job, restarts), "an iteration")
        # Slurm looks at limits every 30 s: until then the fit is not to end by itself.
        fit = suspend_fit(slurm, job)
        slurm.cluster.let_time_run_out(job)
        slurm.wait_until_told_to_end(job)
        with suppress(psutil.NoSuchProcess):  # Slurm's signal wakes it up
            fit.resume()
        wait_until(partial(restarted, slurm, job, restarts + 1), "the job's next start")
        # With its end its limit was moved too.
        slurm.cluster.hosts[HEAD].run("scontrol", "update", f"JobId={job}", "TimeLimit=60")
    assert slurm.finish(job, seconds=900)["ExitCode"] == "0:0", slurm.output(job)
    assert "restart 2 of 20" in slurm.output(job)
    assert Chain.load(slurm.directory).equals(longer_image_chain)
    slurm.wait_until_nothing_runs()


@pytest.mark.long
def test_long_fit_that_loses_a_node_starts_again_by_itself_and_equals_stock(
    slurm: Login, sif: Path, longer_image_chain: Chain
) -> None:
    write_fit(slurm.directory, MORE)
    job = slurm.sbatch(example(slurm, "long-fit", sif, nodes=2, ranks_per_node=1))
    slurm.wait_for_output(job, "iteration 1 of")
    slurm.cluster.lose(slurm.hosts(job)[1])
    assert slurm.finish(job, seconds=300)["ExitCode"] == "0:0", slurm.output(job)
    assert slurm.job(job)["Restarts"] == "1"
    assert "resuming after iteration" in slurm.output(job)
    assert Chain.load(slurm.directory).equals(longer_image_chain)
    slurm.cluster.repair()
    slurm.wait_until_nothing_runs()


@pytest.mark.parametrize("name", mostly_long("long-fit", "one-node"))
def test_scancel_saves_the_samples_and_ends_all_and_nothing_starts_again(
    name: str, slurm: Login, sif: Path
) -> None:
    write_fit(slurm.directory, 20_000)
    job = slurm.sbatch(example(slurm, name, sif, nodes=1 if name == "one-node" else 2))
    # After a few iterations there is a database to write.
    wait_until(lambda: samples(slurm, job, 0, least=6), "some iterations")
    cancel_and_check_the_end(slurm, job)
    assert "iterations, all saved" in slurm.output(job)
    assert (slurm.directory / "fitted.tdb").exists()


# By stock ESPEI, which saves nothing at a signal.
@pytest.mark.long
def test_scancel_of_a_fit_in_two_steps_ends_all(slurm: Login, sif: Path) -> None:
    use_scheduler_file(write_fit(slurm.directory, 20_000))
    job = slurm.sbatch(example(slurm, "two-steps", sif, nodes=2))
    slurm.wait_for_output(job, "cluster ready")
    cancel_and_check_the_end(slurm, job)


def cancel_and_check_the_end(slurm: Login, job: str) -> None:
    """Cancel a job; check that nothing of it stays, and that it is not started again."""
    slurm.cancel(job)
    assert slurm.finish(job)["JobState"] == "CANCELLED"
    slurm.wait_until_nothing_runs()
    assert slurm.job(job)["JobState"] == "CANCELLED"
    assert slurm.job(job)["Restarts"] == "0"


@pytest.mark.parametrize("name", mostly_long("long-fit", "one-node", "two-steps"))
def test_job_without_its_image_fails_at_once(name: str, slurm: Login) -> None:
    write_fit(slurm.directory, ITERATIONS)
    job = slurm.sbatch(example(slurm, name, "missing.sif"))
    known = slurm.finish(job)
    assert (known["JobState"], known["Restarts"]) == ("FAILED", "0"), slurm.output(job)
    assert "missing.sif" in slurm.output(job)


def test_long_fit_with_a_fault_does_not_start_again(slurm: Login, sif: Path) -> None:
    path = write_fit(slurm.directory, ITERATIONS)
    path.write_text(path.read_text().replace("iterations", "iteration"))
    job = slurm.sbatch(example(slurm, "long-fit", sif))
    known = slurm.finish(job)
    assert (known["ExitCode"], known["Restarts"]) == ("65:0", "0"), slurm.output(job)


def test_array_is_a_fit_each_and_a_job_that_says_which_are_finished(
    slurm: Login, sif: Path, image_chain: Chain
) -> None:
    for name in ("cu-mg", "al-mg"):
        (slurm.directory / name).mkdir()
        path = write_fit(slurm.directory / name, ITERATIONS)
    path.write_text(path.read_text().replace("iterations", "iteration"))
    _, collecting = started_by_bash(slurm, example(slurm, "array", sif))
    assert slurm.finish(collecting)["ExitCode"] == "1:0", slurm.output(collecting)
    assert "cu-mg/x.yaml: finished, with 30 iterations" in slurm.output(collecting)
    assert "al-mg/x.yaml: not finished" in slurm.output(collecting)
    assert "1 of 2 fits are finished" in slurm.output(collecting)
    assert Chain.load(slurm.directory / "cu-mg").equals(image_chain)
    slurm.wait_until_nothing_runs()


def test_chain_generates_and_then_fits(slurm: Login, sif: Path) -> None:
    path = write_fit(slurm.directory, FEW)
    (slurm.directory / "cu-mg_start.tdb").unlink()
    (slurm.directory / "generate.yaml").write_text((EXAMPLE / "generate.yaml").read_text())
    generating, fitting = started_by_bash(slurm, example(slurm, "chain", sif, nodes=2))
    assert slurm.finish(generating)["ExitCode"] == "0:0", slurm.output(generating)
    assert slurm.finish(fitting)["ExitCode"] == "0:0", slurm.output(fitting)
    assert "cluster ready: 3 workers" in slurm.output(fitting)
    assert path.with_name("fitted.tdb").exists()


def test_chain_whose_beginning_fails_does_not_wait_for_ever(slurm: Login, sif: Path) -> None:
    write_fit(slurm.directory, ITERATIONS)
    (slurm.directory / "generate.yaml").write_text("nonsense: true\n")
    generating, fitting = started_by_bash(slurm, example(slurm, "chain", sif))
    assert slurm.finish(generating)["JobState"] == "FAILED"
    assert slurm.finish(fitting)["JobState"] == "CANCELLED"


def test_two_steps_end_with_espei_and_leave_nothing(slurm: Login, sif: Path, image_chain: Chain) -> None:
    use_scheduler_file(write_fit(slurm.directory, ITERATIONS))
    job = slurm.sbatch(example(slurm, "two-steps", sif, nodes=2))
    assert slurm.finish(job)["ExitCode"] == "0:0", slurm.output(job)
    assert "cluster ready: 3 workers" in slurm.output(job)
    # Stock's own way to its workers costs the last digits of the log-probability (docs: reproducibility).
    assert np.array_equal(Chain.load(slurm.directory).trace, image_chain.trace)
    slurm.wait_until_nothing_runs()
    assert not (slurm.directory / "my_scheduler.json").exists()


def test_two_steps_have_the_exit_code_of_espei(slurm: Login, sif: Path) -> None:
    path = write_fit(slurm.directory, ITERATIONS)
    use_scheduler_file(path)
    (slurm.directory / "cu-mg_start.tdb").unlink()
    job = slurm.sbatch(example(slurm, "two-steps", sif))
    assert slurm.finish(job)["ExitCode"] == "1:0", slurm.output(job)
    assert "FileNotFoundError" in slurm.output(job)
    slurm.wait_until_nothing_runs()


def test_command_submits_its_script(slurm: Login, sif: Path) -> None:
    write_fit(slurm.directory, FEW)
    slurm.own()
    words = ("--in", "x.yaml", "--image", sif, "--ranks-per-node", "2", "--hours", "1", "--submit")
    result = slurm.run("espei-hpc", "job", "slurm", *words)
    assert result.code == 0, result.output
    (job,) = re.findall(r"Submitted batch job (\d+)", result.output)
    assert slurm.finish(job)["ExitCode"] == "0:0", slurm.output(job)


@pytest.mark.parametrize(
    ("name", "nodes"), [pytest.param("one-node", 1, marks=pytest.mark.long), ("many-nodes", 2)]
)
def test_qsub_runs_the_script_for_torque(
    name: str, nodes: int, slurm: Login, sif: Path, image_chain: Chain
) -> None:
    write_fit(slurm.directory, ITERATIONS)
    text = (ROOT / "pbs-examples" / "torque" / f"{name}.pbs").read_text()
    for pattern, line in ((r"nodes=\d+:ppn=32$", f"nodes={nodes}:ppn=2"), ("^image=.*$", f"image={sif}")):
        text, number = re.subn(pattern, line, text, flags=re.M)
        assert number == 1, pattern
    (slurm.directory / f"{name}.pbs").write_text(text)
    slurm.own()
    submitted = slurm.run("qsub", f"{name}.pbs")
    assert submitted.code == 0, submitted.output
    job = submitted.output.split()[-1].partition(".")[0]
    assert slurm.finish(job)["ExitCode"] == "0:0", slurm.output(job)
    assert Chain.load(slurm.directory).equals(image_chain)
    slurm.wait_until_nothing_runs()


@pytest.mark.parametrize(
    "name", mostly_long("many-nodes", "one-node", "host-mpi", "image-mpi", "long-fit", "two-steps")
)
def test_qsub_reads_the_directives_for_torque(name: str, slurm: Login) -> None:
    text = (ROOT / "pbs-examples" / "torque" / f"{name}.pbs").read_text()
    nodes = 1 if name in ("one-node", "image-mpi") else 2
    text, number = re.subn(r"^#PBS -l nodes=\d+:ppn=32$", f"#PBS -l nodes={nodes}:ppn=4", text, flags=re.M)
    assert number == 1
    (slurm.directory / f"{name}.pbs").write_text(text)
    slurm.own()
    result = slurm.run("qsub", "-h", f"{name}.pbs")
    assert result.code == 0, result.output
    job = result.output.split()[-1].partition(".")[0]
    known = slurm.job(job)
    assert known["JobState"] in UNFINISHED
    assert known["NumNodes"].partition("-")[0] == str(nodes)
    asked = (str(4 * nodes), "1-00:00:00", "my-account")
    assert (known["NumCPUs"], known["TimeLimit"], known["Account"]) == asked
    slurm.cancel(job)
