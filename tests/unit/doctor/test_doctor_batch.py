"""What the batch system says of its job, and srun of its PMI, is told; a stand-in prints what they print."""

import os
import sys
import time
from pathlib import Path

import pytest

from espei_hpc.doctor import batch_time
from espei_hpc.doctor import pmi as slurm
from espei_hpc.doctor.finding import Severity
from espei_hpc.doctor.options import Options

# What Slurm 22.05 of Debian printed.
SRUN_LIST = """MPI plugin types are...
	pmix
	none
	cray_shasta
	pmi2
specific pmix plugin versions available: pmix_v4
"""
# As Slurm 19 and older print it.
OLD_SRUN_LIST = """srun: MPI types are...
srun: none
srun: openmpi
"""
QSTAT = """Job Id: 12.server
    Job_Name = fit
    resources_used.walltime = 00:50:30
    Resource_List.nodes = 1:ppn=4
    Resource_List.walltime = 01:00:00
"""


def stand_in(directory: Path, name: str, output: str, code: int = 0) -> dict[str, str]:
    """Put a command on a PATH of its own that prints what the real one would."""
    (directory / f"{name}.out").write_text(output)
    command = directory / name
    command.write_text(f"#!/bin/sh\ncat {directory}/{name}.out\nexit {code}\n")
    command.chmod(0o755)
    return {"PATH": f"{directory}:{os.environ['PATH']}"}


def test_outside_of_a_job_nothing_is_asked(tmp_path: Path) -> None:
    (line,) = batch_time.time_left(Options(tmp_path, environment={}))
    assert (line.state, line.seen) == (Severity.OK, "not in a batch job")


@pytest.mark.parametrize(("minutes", "state"), [(90, Severity.OK), (5, Severity.WARNING)])
def test_end_of_a_slurm_job_is_read_from_its_variable(minutes: int, state: Severity, tmp_path: Path) -> None:
    job = {"SLURM_JOB_ID": "12", "SLURM_JOB_END_TIME": str(int(time.time()) + 60 * minutes + 30)}
    (line,) = batch_time.time_left(Options(tmp_path, cheap=True, environment=job))
    assert (line.state, line.seen) == (state, f"{minutes} min of Slurm job 12")


def test_slurm_is_asked_where_the_variable_is_missing(tmp_path: Path) -> None:
    job = {"SLURM_JOB_ID": "12", **stand_in(tmp_path, "squeue", "1-02:03:04\n")}
    (line,) = batch_time.time_left(Options(tmp_path, environment=job))
    assert line.seen == "1563 min of Slurm job 12"


def test_slurm_job_without_a_limit_is_ok(tmp_path: Path) -> None:
    job = {"SLURM_JOB_ID": "12", **stand_in(tmp_path, "squeue", "UNLIMITED\n")}
    (line,) = batch_time.time_left(Options(tmp_path, environment=job))
    assert (line.state, line.seen) == (Severity.OK, "Slurm job 12 has no time limit")


def test_time_of_a_pbs_job_is_what_is_granted_less_what_is_used(tmp_path: Path) -> None:
    job = {"PBS_JOBID": "12.server", **stand_in(tmp_path, "qstat", QSTAT)}
    (line,) = batch_time.time_left(Options(tmp_path, environment=job))
    assert (line.state, line.seen) == (Severity.WARNING, "9 min of PBS job 12.server")


@pytest.mark.parametrize("answer", [("INVALID\n", 0), ("slurm_load_jobs error: Unable to contact\n", 1)])
def test_unknown_end_is_told_as_unknown(answer: tuple[str, int], tmp_path: Path) -> None:
    job = {"SLURM_JOB_ID": "12", **stand_in(tmp_path, "squeue", *answer)}
    (line,) = batch_time.time_left(Options(tmp_path, environment=job))
    assert line.state == Severity.WARNING
    assert "not known" in line.seen


def test_cheap_part_asks_no_batch_system(tmp_path: Path) -> None:
    job = {"SLURM_JOB_ID": "12", **stand_in(tmp_path, "squeue", "10:00\n")}
    assert batch_time.time_left(Options(tmp_path, cheap=True, environment=job)) == []


def test_kinds_of_srun_are_told_with_the_mpi_each_serves(tmp_path: Path) -> None:
    (line,) = slurm.pmi_kinds(Options(tmp_path, environment=stand_in(tmp_path, "srun", SRUN_LIST)))
    assert line.state == Severity.OK
    assert "cray_shasta, none, pmi2, pmix" in line.seen
    assert "--mpi=pmi2 for MPICH" in line.seen
    assert "--mpi=pmix for Open MPI" in line.seen


def test_srun_without_a_kind_for_ours_is_a_warning(tmp_path: Path) -> None:
    (line,) = slurm.pmi_kinds(Options(tmp_path, environment=stand_in(tmp_path, "srun", OLD_SRUN_LIST)))
    assert line.state == Severity.WARNING
    assert "none, openmpi: no MPI" in line.seen


def test_kind_is_held_against_the_mpis_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    (line,) = slurm.pmi_kinds(Options(tmp_path, environment=stand_in(tmp_path, "srun", SRUN_LIST)))
    assert line.state == Severity.WARNING


def test_srun_that_fails_is_told_in_its_own_words(tmp_path: Path) -> None:
    environment = stand_in(tmp_path, "srun", "srun: error: cannot find slurm.conf\n", 1)
    (line,) = slurm.pmi_kinds(Options(tmp_path, environment=environment))
    assert line.state == Severity.WARNING
    assert "cannot find slurm.conf" in line.seen


def test_kinds_of_a_hosts_srun_are_read_from_its_plugins(tmp_path: Path) -> None:
    host = tmp_path / "host"
    # A place where the machine under the test has no srun.
    for place in ("lib64/slurm", "bin"):
        (host / "opt" / "mini-slurm" / place).mkdir(parents=True)
    (host / "opt" / "mini-slurm" / "lib64" / "slurm" / "mpi_pmix.so").touch()
    stand_in(tmp_path, "srun", "never run")
    (tmp_path / "srun").rename(host / "opt" / "mini-slurm" / "bin" / "srun")
    (line,) = slurm.pmi_kinds(Options(tmp_path, environment={"PATH": "/opt/mini-slurm/bin"}), host)
    assert (line.state, line.seen) == (Severity.OK, "it offers pmix; use --mpi=pmix for Open MPI")


def test_host_without_srun_has_no_line(tmp_path: Path) -> None:
    assert slurm.pmi_kinds(Options(tmp_path, environment={"PATH": "/opt/mini-slurm/bin"}), tmp_path) == []


def test_without_srun_nothing_is_said(tmp_path: Path) -> None:
    assert slurm.pmi_kinds(Options(tmp_path, environment={"PATH": str(tmp_path)})) == []
