"""What is below the directives of the examples for PBS, run with what OpenPBS gives to a job.

No PBS runs here: its variables and its list of nodes are those that were seen in a real one. The job
begins in the home directory, as there.
"""

from pathlib import Path

import pytest

from amounts import mostly_long
from batch.pbs.job import example_script
from batch.slurm.login import Login
from batch.test_slurm_examples import FEW, use_scheduler_file
from espei_hpc.text import counted
from fits import Chain, write_fit
from support import Result

# As many as this machine has cores at least: a launcher that knows no PBS has no more slots.
RANKS = 2


def example(slurm: Login, name: str, sif: Path) -> Path:
    """Copy an example to the user, with the image changed; the inputs have its names already."""
    path = slurm.directory / f"{name}.pbs"
    path.write_text(example_script(name, sif))
    return path


def run(slurm: Login, script: Path, **variables: str) -> Result:
    """Run a script's body on a node, as PBS does."""
    nodes = slurm.directory / "nodes"
    nodes.write_text("node1\n" * RANKS)
    slurm.own()
    job = {
        "PBS_ENVIRONMENT": "PBS_BATCH",
        "PBS_JOBID": "41.head",
        "PBS_JOBNAME": script.name,
        "PBS_NODEFILE": str(nodes),
        "PBS_O_WORKDIR": str(slurm.directory),
        "NCPUS": str(RANKS),
        "OMP_NUM_THREADS": "1",
        **variables,
    }
    settings = [f"{name}={value}" for name, value in job.items()]
    home = slurm.cluster.user.home
    return slurm.run("env", f"--chdir={home}", *settings, "bash", script, host="node1")


# What long-fit adds is in the tests below; two-steps fits in test_slurm_examples.py too.
@pytest.mark.parametrize("name", mostly_long("one-node", "image-mpi", "long-fit", "two-steps"))
def test_script_fits_from_the_directory_it_was_submitted_in(name: str, slurm: Login, sif: Path) -> None:
    use_scheduler_file(write_fit(slurm.directory, FEW))
    result = run(slurm, example(slurm, name, sif))
    assert result.code == 0, result.output
    assert f"cluster ready: {counted(RANKS - 1, 'worker')}" in result.output
    assert len(Chain.load(slurm.directory).lnprob) > 0
    slurm.wait_until_nothing_runs()


@pytest.mark.long
def test_job_of_an_array_fits_its_own_input(slurm: Login, sif: Path) -> None:
    for name in ("cu-mg", "al-mg"):
        (slurm.directory / name).mkdir()
        write_fit(slurm.directory / name, FEW)
    result = run(slurm, example(slurm, "array", sif), PBS_ARRAY_INDEX="1")
    assert result.code == 0, result.output
    assert (slurm.directory / "al-mg" / "fitted.tdb").exists()
    assert not (slurm.directory / "cu-mg" / "x.run").exists()
    result = run(slurm, example(slurm, "array", sif), ESPEI_HPC_STEP="collect")
    assert (result.code, "1 of 2 fits are finished" in result.output) == (1, True), result.output


@pytest.mark.parametrize("name", ["array", "chain"])
def test_script_that_submits_itself_does_so_only_outside_of_a_job(name: str, slurm: Login) -> None:
    result = run(slurm, example(slurm, name, Path("espei.sif")))
    assert (result.code, f"bash {name}.pbs" in result.output) == (64, True), result.output


def test_long_fit_submits_itself_once_more_when_its_time_is_over(slurm: Login, sif: Path) -> None:
    write_fit(slurm.directory, 20_000)
    commands = slurm.directory / "bin"
    commands.mkdir()
    # There is no such command here that would mean PBS.
    qsub = commands / "qsub"
    qsub.write_text('#!/bin/bash\necho "submitted: $*"\n')
    qsub.chmod(0o755)
    # Of this walltime half is kept for the end.
    variables = {"PBS_WALLTIME": "120", "PATH": f"{commands}:/usr/local/bin:/usr/bin:/bin"}
    result = run(slurm, example(slurm, "long-fit", sif), **variables)
    assert result.code == 75, result.output
    assert "restart 1 of 20" in result.output
    assert "submitted: long-fit.pbs" in result.output


def test_long_fit_does_not_begin_where_it_could_not_submit_itself(slurm: Login) -> None:
    path = example(slurm, "long-fit", Path("espei.sif"))
    result = run(slurm, path.rename(path.with_name("mine.pbs")))
    assert (result.code, "script=" in result.output) == (64, True), result.output
