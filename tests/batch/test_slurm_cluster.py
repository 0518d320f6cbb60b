"""The cluster behaves as a site's: an ordinary user's jobs start, end, are stopped, and lose nodes."""

import pytest

from batch.slurm import NODES
from batch.slurm.login import Login

WAIT = "sleep 1000 & wait"
"""Bash tells of a signal only once its child in the foreground has ended."""


def test_four_nodes_are_idle(slurm: Login) -> None:
    assert slurm.cluster.states() == dict.fromkeys(NODES, "idle")


def test_job_of_an_ordinary_user_prints_the_names_of_four_hosts(slurm: Login) -> None:
    job = slurm.submit("id --user --name; srun hostname", "--nodes=4")
    assert slurm.finish(job)["JobState"] == "COMPLETED"
    user, *hosts = slurm.output(job).split()
    assert user == slurm.cluster.user.name
    assert sorted(hosts) == NODES


def test_job_runs_where_it_was_submitted_and_home_is_on_every_node(slurm: Login) -> None:
    home = slurm.cluster.user.home
    job = slurm.submit('pwd; srun bash -c "echo $SLURM_JOB_ID >~/$(hostname)-\\$(hostname)"', "--nodes=4")
    assert slurm.finish(job)["JobState"] == "COMPLETED"
    assert slurm.output(job).strip() == str(slurm.directory)
    assert len([path for path in home.iterdir() if path.is_file() and path.read_text() == f"{job}\n"]) == 4


def test_scancel_leaves_nothing_on_any_node(slurm: Login) -> None:
    job = slurm.submit("srun sleep 1000 & echo started; sleep 1000", "--nodes=4")
    slurm.wait_for_output(job, "started")
    slurm.cancel(job)
    assert slurm.finish(job)["JobState"] == "CANCELLED"
    slurm.wait_until_nothing_runs()


# What these three wait for, fits in test_slurm_examples.py need too.
@pytest.mark.long
def test_time_limit_is_told_to_the_script_by_term(slurm: Login) -> None:
    job = slurm.submit(f"trap 'echo TERM came; exit' TERM; echo started; {WAIT}", "--time=1")
    slurm.wait_for_output(job, "started")
    slurm.cluster.let_time_run_out(job)
    assert slurm.finish(job)["JobState"] == "TIMEOUT"
    assert "TERM came" in slurm.output(job)


@pytest.mark.parametrize("outlive", [True, False], ids=["lax site", "control groups"])
def test_processes_outlive_their_script_only_where_slurm_loses_them(outlive: bool, slurm: Login) -> None:
    if not outlive:
        slurm.cluster.end_orphans()
    job = slurm.submit("setsid sleep 1000 >/dev/null 2>&1 & disown; sleep 1; srun true", "--nodelist=node4")
    assert slurm.finish(job)["JobState"] == "COMPLETED"
    assert slurm.processes() == ({"node4": ["sleep 1000"]} if outlive else {})


@pytest.mark.long
def test_requeued_job_starts_again_and_is_told_so(slurm: Login) -> None:
    body = f"""
        echo "restarts: ${{SLURM_RESTART_COUNT:-none}}"
        [[ ${{SLURM_RESTART_COUNT:-}} ]] || scontrol requeue "$SLURM_JOB_ID"
        [[ ${{SLURM_RESTART_COUNT:-}} ]] || {{ {WAIT}; }}
    """
    job = slurm.submit(body, "--open-mode=append")
    assert slurm.finish(job)["JobState"] == "COMPLETED"
    assert slurm.output(job).splitlines()[-1] == "restarts: 1"
    assert "restarts: none" in slurm.output(job)


@pytest.mark.long
def test_lost_node_ends_a_job_or_has_it_start_again(slurm: Login) -> None:
    body = f"echo started; [[ ${{SLURM_RESTART_COUNT:-}} ]] || {{ {WAIT}; }}"
    ended = slurm.submit(body, "--nodelist=node2", "--no-requeue")
    again = slurm.submit(body, "--nodelist=node2", "--requeue", "--open-mode=append")
    for job in (ended, again):
        slurm.wait_for_output(job, "started")
    slurm.cluster.lose("node2")
    assert slurm.finish(ended)["JobState"] == "NODE_FAIL"
    slurm.cluster.repair()
    assert slurm.finish(again)["JobState"] == "COMPLETED"
    assert slurm.job(again)["Restarts"] == "1"


def test_node_without_network_is_found_again(slurm: Login) -> None:
    slurm.cluster.unplug("node3")
    assert slurm.run("timeout", "2", "bash", "-c", "exec 3<>/dev/tcp/node3/6818").code != 0
    slurm.cluster.repair()
    job = slurm.submit("srun hostname", "--nodelist=node3")
    assert slurm.finish(job)["JobState"] == "COMPLETED"
    assert slurm.output(job).strip() == "node3"


def test_qsub_submits_a_pbs_script(slurm: Login) -> None:
    script = slurm.directory / "job.pbs"
    script.write_text("#!/bin/bash\n#PBS -l nodes=2:ppn=2\n#PBS -N from-pbs\nsrun hostname\n")
    submitted = slurm.run("qsub", script)
    assert submitted.code == 0, submitted.output
    known = slurm.finish(submitted.output.strip())
    assert (known["JobState"], known["JobName"], known["NumNodes"]) == ("COMPLETED", "from-pbs", "2")
