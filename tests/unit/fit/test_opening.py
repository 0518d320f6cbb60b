"""A fit that begins locks its run directory in the name of its job."""

from pathlib import Path

import pytest

from espei_hpc.fit.opening import Opening, opened
from espei_hpc.rundir.holder import Holder
from fits import write_fit


@pytest.mark.parametrize(
    ("environment", "job"),
    [
        ({"SLURM_JOB_ID": "77"}, "Slurm job 77"),
        ({"PBS_JOBID": "41.head"}, "PBS job 41.head"),
        ({"LSB_JOBID": "11", "LSB_JOBINDEX": "2"}, "LSF job 11[2]"),
        ({}, ""),
    ],
)
def test_second_fit_would_be_told_the_job_of_the_first(
    environment: dict[str, str], job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    path = write_fit(tmp_path, iterations=3)
    run_directory = path.with_suffix(".run")
    with opened(Opening(path, run_directory, "graph", False, verify=0, goal=None), lambda: None, print):
        holder = Holder.parse((run_directory / "lock").read_bytes())
    assert holder is not None
    assert holder.job == job
