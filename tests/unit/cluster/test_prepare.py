"""How many ranks are started where the user names no number."""

from pathlib import Path

from espei_hpc.cluster.prepare import cores, default_ranks


def test_slurm_allocation_gives_its_tasks() -> None:
    assert default_ranks({"SLURM_JOB_ID": "7", "SLURM_NTASKS": "40"}) == 40


def test_pbs_allocation_gives_a_rank_for_each_line_of_its_node_file(tmp_path: Path) -> None:
    (tmp_path / "nodes").write_text("n1\nn1\nn2\nn2\n")
    assert default_ranks({"PBS_JOBID": "7.server", "PBS_NODEFILE": str(tmp_path / "nodes")}) == 4


def test_single_machine_gives_a_worker_for_each_core_and_the_scheduler() -> None:
    assert default_ranks({}) == cores() + 1


def test_allocation_of_one_task_still_gives_a_worker() -> None:
    assert default_ranks({"SLURM_JOB_ID": "7", "SLURM_NTASKS": "1"}) == 2
