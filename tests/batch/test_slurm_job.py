"""What a job is granted is read as Slurm itself tells it, and a fit in it ends before the job."""

import json

import pytest

from batch.slurm.login import Login
from espei_hpc.batch.slurm import expand
from fits import Chain, write_fit
from support import BIN

TELL = f"""{BIN}/python -c '
import json, os
from espei_hpc.batch import allocation
job = allocation(os.environ)
print(json.dumps([job.name, job.ranks, job.nodes, dict(job.ranks_on)]))
'"""


@pytest.mark.parametrize(
    "options",
    [
        ["--nodes=4"],
        ["--nodes=2", "--ntasks-per-node=3"],
        ["--nodes=3", "--ntasks=5"],
        ["--nodes=2", "--ntasks=4", "--cpus-per-task=2", "--exclusive"],
        ["--ntasks=1"],
    ],
    ids=" ".join,
)
def test_hosts_and_ranks_are_those_that_srun_would_start(options: list[str], slurm: Login) -> None:
    job = slurm.submit(f"{TELL}\nsrun hostname", *options)
    assert slurm.finish(job)["JobState"] == "COMPLETED", slurm.output(job)
    told, *started = slurm.output(job).splitlines()
    name, ranks, nodes, ranks_on = json.loads(told)
    assert name == f"Slurm job {job}"
    assert ranks_on == {host: started.count(host) for host in set(started)}
    assert (ranks, nodes) == (len(started), len(set(started)))


@pytest.mark.parametrize(
    "text", ["node[1-4]", "node[1,3-4]", "r[01-02]n[08-11],login", "b[099-101],a[7]", "n1,n1"]
)
def test_short_list_of_hosts_means_what_scontrol_says(text: str, slurm: Login) -> None:
    told = slurm.run("scontrol", "show", "hostnames", text)
    assert list(expand(text)) == told.output.split()


def test_fit_ends_before_its_job_does(slurm: Login, stock_chain: Chain) -> None:
    path = write_fit(slurm.directory, iterations=20_000)
    slurm.own()
    job = slurm.submit(f"espei-mpi --in {path.name}; echo code $?", "--nodes=2", "--ntasks=2", "--time=2")
    assert slurm.finish(job)["JobState"] == "COMPLETED", slurm.output(job)
    assert "s of walltime left (according to squeue)" in slurm.output(job)
    assert "run the same command to resume" in slurm.output(job)
    assert slurm.output(job).splitlines()[-1] == "code 75"
    assert Chain.load(slurm.directory).begins_like(stock_chain)
    slurm.wait_until_nothing_runs()
