"""How many ranks are started where the user names no number."""

import socket
from pathlib import Path

from espei_hpc.cluster.prepare import cores, default_ranks, unreached_hosts

HERE = socket.gethostname()


def test_slurm_allocation_gives_its_tasks() -> None:
    assert default_ranks({"SLURM_JOB_ID": "7", "SLURM_NTASKS": "40"}) == 40


def test_pbs_allocation_gives_a_rank_for_each_line_of_its_node_file(tmp_path: Path) -> None:
    (tmp_path / "nodes").write_text("n1\nn1\nn2\nn2\n")
    assert default_ranks({"PBS_JOBID": "7.server", "PBS_NODEFILE": str(tmp_path / "nodes")}) == 4


def test_single_machine_gives_a_worker_for_each_core_and_the_scheduler() -> None:
    assert default_ranks({}) == cores() + 1


def test_start_on_one_host_takes_what_is_granted_there(tmp_path: Path) -> None:
    nodes = tmp_path / "nodes"
    nodes.write_text(f"{HERE}.cluster\n" * 3 + "elsewhere\n" * 5)
    job = {"PBS_JOBID": "7.server", "PBS_NODEFILE": str(nodes)}
    assert default_ranks(job, one_host=True) == 3
    assert "has 2 hosts" in str(unreached_hosts(job))


def test_start_on_one_host_of_which_nothing_is_known_takes_its_cores() -> None:
    job = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "40", "SLURM_JOB_NUM_NODES": "2"}
    assert default_ranks(job, one_host=True) == cores() + 1


def test_job_of_one_host_leaves_none_idle() -> None:
    job = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "4", "SLURM_JOB_NUM_NODES": "1"}
    assert default_ranks(job, one_host=True) == 4
    assert unreached_hosts(job) is None
    assert unreached_hosts({}) is None


def test_allocation_of_one_task_still_gives_a_worker() -> None:
    assert default_ranks({"SLURM_JOB_ID": "7", "SLURM_NTASKS": "1"}) == 2
