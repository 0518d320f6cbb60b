"""A script is written for its owner alone, over nothing, and handed to the batch system."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from espei_hpc.batch.scripts import JobScript
from espei_hpc.batch.scripts.submitting import submit, write
from espei_hpc.cli import commands
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode

JOB = JobScript("slurm", "one-node", ("x.yaml",), "espei.sif", None, 1, 8, 24.0, "x.sbatch")


def command(directory: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    """Put a command on an otherwise almost empty PATH; the real ones are in tests/batch."""
    directory.mkdir()
    (directory / name).write_text(f"#!/bin/bash\n{script}\n")
    (directory / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/local/nothing")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_script_is_written_for_its_owner_alone() -> None:
    path = write(JOB, "text\n")
    assert path.read_text() == "text\n"
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize("dangling", [False, True])
def test_script_is_never_written_over_a_file_or_through_a_link(dangling: bool) -> None:
    if dangling:
        Path("x.sbatch").symlink_to("elsewhere")
    else:
        Path("x.sbatch").write_text("mine")
    with pytest.raises(Refusal, match=r"already exists; submit it unchanged \(sbatch x\.sbatch\)") as refused:
        write(JOB, "text\n")
    assert refused.value.code == ExitCode.CANNOT_CREATE
    assert not Path("elsewhere").exists()
    assert dangling or Path("x.sbatch").read_text() == "mine"


def test_place_that_cannot_be_written_is_told() -> None:
    with pytest.raises(Refusal, match="cannot be written") as refused:
        write(replace(JOB, script="nowhere/x.sbatch"), "text\n")
    assert refused.value.code == ExitCode.CANNOT_CREATE


def test_what_the_batch_system_says_is_returned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command(tmp_path / "bin", monkeypatch, "sbatch", 'echo "Submitted batch job 7 of $1"')
    assert submit(JOB, write(JOB, "")) == "Submitted batch job 7 of x.sbatch"


def test_where_there_is_no_command_it_is_told_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/local/nothing")
    path = write(JOB, "")
    with pytest.raises(Refusal, match=r"x\.sbatch is written.* run: sbatch x\.sbatch") as refused:
        submit(JOB, path)
    assert refused.value.code == ExitCode.UNAVAILABLE
    assert path.exists()


def test_refusal_is_told_and_leaves_no_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command(tmp_path / "bin", monkeypatch, "sbatch", 'echo "error: invalid account" >&2; exit 1')
    path = write(JOB, "")
    with pytest.raises(Refusal) as refused:
        submit(JOB, path)
    assert refused.value.code == ExitCode.UNAVAILABLE
    assert refused.value.details == ("error: invalid account",)
    assert not path.exists()


def test_refusal_inside_of_a_job_names_the_login_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(tmp_path / "bin", monkeypatch, "qsub", 'echo "qsub: Bad UID for job execution" >&2; exit 175')
    job = replace(JOB, system="pbs", script="x.pbs")
    for inside in (False, True):
        if inside:
            monkeypatch.setenv("PBS_JOBID", "41.head")
        with pytest.raises(Refusal, match="refused the job, with exit code 175") as refused:
            submit(job, write(job, ""))
        assert ("you are in PBS job 41.head" in str(refused.value)) == inside


def test_script_is_written_beside_its_input_and_submitted_from_here(
    inputs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("deep").mkdir()
    Path("x.yaml").rename("deep/x.yaml")
    command(inputs / "bin", monkeypatch, "qsub", 'echo "8.$1 $PWD"')
    words = ["job", "pbs", "--kind", "long-fit", "--in", "deep/x.yaml", "--image", "e.sif", "--submit"]
    commands.main(words, standalone_mode=False)
    assert capsys.readouterr().out == f"8.deep/x.pbs {inputs}\n"
    text = Path("deep/x.pbs").read_text()
    assert "\nscript=deep/x.pbs\n" in text
    assert "#PBS -A" not in text
