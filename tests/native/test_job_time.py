"""A fit ends before its job does, by its own clock, and what it needs to know of the job reaches it."""

import os
import re
import shutil
import time
from pathlib import Path

import pytest

from fits import Chain
from support import BIN, Commands

# What does not matter of qstat's output is left out.
QSTAT = """Job Id: 41.head
    Job_Name = fit
    resources_used.walltime = 00:00:01
    Resource_List.walltime = 00:01:30
    stime = {start}
    Variable_List = PBS_O_HOME=/home/user,
\tPBS_O_WORKDIR=/home/user/work
"""


def stand_in(directory: Path, name: str, script: str) -> dict[str, str]:
    """Put a command on PATH in place of a batch system's; nothing of that runs here."""
    (directory / "bin").mkdir(exist_ok=True)
    command = directory / "bin" / name
    command.write_text(f"#!/bin/bash\n{script}\n")
    command.chmod(0o755)
    return {"PATH": f"{command.parent}:{BIN}:{os.environ['PATH']}"}


@pytest.mark.long
def test_fit_ends_in_time_saves_and_goes_on(
    commands: Commands, endless_fit: Path, stock_chain: Chain
) -> None:
    words = ("espei-mpi", "--in", endless_fit, "-n", "2", "--time-left", "90", "--requeue", "20")
    result = commands.run(*words)
    assert result.code == 75, result.output
    (line,) = [line for line in result.output.splitlines() if "stopped after" in line]
    assert re.search(
        r"stopped after (\d+) of 20000 iterations, all saved: \d+ s of walltime left "
        r"\(according to --time-left\).*; run the same command to resume$",
        line,
    )
    assert commands.left() == []
    assert Chain.load(endless_fit.parent).begins_like(stock_chain)

    answer = endless_fit.with_suffix(".run") / "requeue"
    assert answer.read_text().startswith("restart 1 of 20: ")
    decided = commands.run("espei-hpc", "again", "--in", endless_fit)
    assert (decided.code, "restart 1 of 20" in decided.output) == (0, True), decided.output
    # Nothing was done since then.
    decided = commands.run("espei-hpc", "again", "--in", endless_fit)
    assert (decided.code, "no progress since the last restart" in decided.output) == (1, True), decided.output


@pytest.mark.quick
@pytest.mark.parametrize("engine", ["graph", "espei"])
def test_start_in_the_last_seconds_of_a_job_is_refused_before_anything_runs(
    engine: str, commands: Commands, endless_fit: Path
) -> None:
    words = ("espei-mpi", "--in", endless_fit, "-n", "3", "--time-left", "10", "--engine", engine)
    result = commands.run(*words)
    assert result.code == 69, result.output
    assert "starting the cluster" not in result.output
    line, more = result.output.splitlines()
    assert "not enough for one iteration" in line
    assert more == "espei-hpc: more: espei-hpc help ranks"
    assert not endless_fit.with_suffix(".run").exists()


@pytest.mark.long
def test_stock_engine_ends_in_time_too(commands: Commands, endless_fit: Path, stock_chain: Chain) -> None:
    words = ("espei-hpc", "fit", "--local", "-w", "1", "--engine", "espei", "--time-left", "90")
    result = commands.run(*words, "--in", endless_fit)
    assert result.code == 75, result.output
    assert "s of walltime left (according to --time-left)" in result.output
    assert "to resume" not in result.output
    assert Chain.load(endless_fit.parent).begins_like(stock_chain)


def test_time_left_is_asked_of_slurm_on_the_host(commands: Commands, endless_fit: Path) -> None:
    path = stand_in(
        endless_fit.parent, "squeue", '[[ "$*" == "--noheader --jobs=7 --format=%L" ]] && echo 0:09'
    )
    job = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "3", **path}
    result = commands.run("espei-mpi", "--in", endless_fit, env=job)
    assert result.code == 69, result.output
    assert "s of walltime left (according to squeue)" in result.output


def test_time_left_is_asked_of_pbs_on_the_host(commands: Commands, endless_fit: Path) -> None:
    # It began 82 s ago, in a zone of its own; what it has used is measured now and then.
    zone = {"TZ": "UTC-5"}
    start = time.strftime("%a %b %d %H:%M:%S %Y", time.gmtime(time.time() + 5 * 3600 - 82))
    (endless_fit.parent / "answer").write_text(QSTAT.format(start=start))
    script = f'[[ "$*" == "-f 41.head" ]] && cat {endless_fit.parent}/answer'
    path = stand_in(endless_fit.parent, "qstat", script)
    job = {"PBS_JOBID": "41.head", **zone, **path}
    result = commands.run("espei-mpi", "--in", endless_fit, "-n", "3", env=job)
    assert result.code == 69, result.output
    found = re.search(r"(\d+) s of walltime left \(according to qstat\)", result.output)
    assert found, result.output
    assert int(found[1]) <= 8


@pytest.mark.parametrize(("index", "job"), [("0", "7"), ("3", "7[3]")])
def test_time_left_is_asked_of_lsf_on_the_host(
    index: str, job: str, commands: Commands, endless_fit: Path
) -> None:
    path = stand_in(
        endless_fit.parent, "bjobs", f'[[ "$*" == "-noheader -o time_left {job}" ]] && echo "1:30 L"'
    )
    # The launcher starts nothing, and only prints what it is handed.
    stand_in(endless_fit.parent, "mpirun", "printenv ESPEI_HPC_JOB; exit 1")
    variables = {"LSB_JOBID": "7", "LSB_JOBINDEX": index, "LSB_DJOB_NUMPROC": "3", **path}
    result = commands.run("espei-mpi", "--in", endless_fit, "--launcher", "mpirun", env=variables)
    assert result.code == 69, result.output
    (log,) = endless_fit.with_suffix(".run").glob("cluster/*/launcher.log")
    assert re.fullmatch(r"\d+ [+-]\d{4}\n1:30 L\n", log.read_text())


def test_end_that_is_past_is_not_believed(commands: Commands, endless_fit: Path) -> None:
    job = {"SLURM_JOB_ID": "7", "SLURM_JOB_END_TIME": "1700000000", "SLURM_NTASKS": "3"}
    prepared = commands.run("espei-hpc", "prepare", "--in", endless_fit, env=job)
    assert prepared.code == 0, prepared.output


def test_batch_system_that_does_not_answer_holds_nothing_up_for_long(
    commands: Commands, endless_fit: Path
) -> None:
    path = stand_in(endless_fit.parent, "squeue", "exec sleep 300")
    result = commands.run("espei-mpi", "--in", "missing.yaml", env={"SLURM_JOB_ID": "7", **path})
    assert result.code == 65, result.output
    assert "missing.yaml" in result.output


@pytest.mark.needs("Debian's MPIs")
def test_ranks_are_started_on_all_hosts_of_a_pbs_job_by_an_mpi_that_knows_no_pbs(
    commands: Commands, endless_fit: Path
) -> None:
    nodes = endless_fit.parent / "nodes"
    nodes.write_text("mini-a\nmini-a\nmini-b\nmini-c\nmini-c\n")
    job = {"PBS_JOBID": "41.head", "PBS_NODEFILE": str(nodes), "PBS_ENVIRONMENT": "PBS_BATCH"}
    # There are no such hosts: the launcher only says where it would start ranks.
    launcher = f"{shutil.which('mpirun.openmpi')} --display-map --do-not-launch -n 5"
    result = commands.run("espei-mpi", "--in", endless_fit, "--launcher", launcher, env=job)
    assert result.code == 69, result.output
    (log,) = endless_fit.with_suffix(".run").glob("cluster/*/launcher.log")
    hosts = re.findall(r"Data for node: (\S+)\s+Num slots: (\d+)", log.read_text(errors="replace"))
    assert hosts == [("mini-a", "2"), ("mini-b", "1"), ("mini-c", "2")]


def test_pbs_job_has_as_many_ranks_as_its_node_file_has_lines(commands: Commands, endless_fit: Path) -> None:
    (endless_fit.parent / "nodes").write_text("mini-a\nmini-a\nmini-b\n")
    job = {"PBS_JOBID": "41.head", "PBS_NODEFILE": str(endless_fit.parent / "nodes")}
    prepared = commands.run("espei-hpc", "prepare", "--in", endless_fit, env=job)
    assert prepared.code == 0, prepared.output
    # Beside warnings of a file system that other hosts do not see.
    assert "3" in prepared.output.splitlines()


@pytest.mark.parametrize("command", ["prepare", "fit"])
def test_time_that_is_none_is_a_wrong_command_line(
    command: str, commands: Commands, endless_fit: Path
) -> None:
    result = commands.run("espei-hpc", command, "--in", endless_fit, "--time-left", "soon")
    assert result.code == 64, result.output
    assert "'soon' is not a time" in result.output


def test_again_of_nothing_says_no(commands: Commands, endless_fit: Path) -> None:
    result = commands.run("espei-hpc", "again", "--in", endless_fit)
    assert (result.code, "no fit in" in result.output) == (1, True), result.output
    assert os.listdir(endless_fit.parent).count("x.run") == 0


def test_job_whose_end_is_not_known_is_told(commands: Commands, small_fit: Path) -> None:
    job = {"PBS_JOBID": "41.head"}
    result = commands.run("espei-hpc", "fit", "--local", "-w", "2", "--in", small_fit, env=job)
    assert result.code == 0, result.output
    assert "the end of PBS job 41.head is not known" in result.output
