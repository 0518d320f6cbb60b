"""What the script of a long fit for Slurm does at its end, with commands that answer as Slurm's."""

import os
import subprocess
from pathlib import Path

import pytest

from support import ROOT

SCRIPT = ROOT / "slurm-examples" / "long-fit.sbatch"
COMMANDS = {
    "apptainer": "[[ $* != *' cat '* ]] || echo 'exit 75'",
    "squeue": "echo TimeLimit",
    "sbatch": 'echo "submitted in $PWD: $*"',
    "scontrol": """
[[ ! ${SCONTROL_FAILS:-} ]] || { echo 'Access/permission denied for job 7' >&2 && exit 1; }
echo "scontrol $*"
""",
}


@pytest.fixture(autouse=True)
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, whose name has a space, with commands in place of Slurm's and of Apptainer."""
    directory = tmp_path / "of a user"
    (directory / "bin").mkdir(parents=True)
    for name, script in COMMANDS.items():
        (directory / "bin" / name).write_text(f"#!/bin/bash\n{script}\n")
        (directory / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory / 'bin'}:/usr/bin:/bin")
    monkeypatch.chdir(directory)
    return directory


def run(**variables: str) -> subprocess.CompletedProcess[str]:
    """Run the script as Slurm does, also one that sbatch read from standard input: from a copy of its own."""
    env = {**os.environ, "SLURM_JOB_ID": "7", **variables}
    return subprocess.run(["bash", SCRIPT], env=env, capture_output=True, text=True)


def test_job_is_requeued() -> None:
    done = run()
    assert (done.returncode, done.stdout, done.stderr) == (75, "scontrol requeue 7\n", "")


def test_where_nodes_may_not_requeue_it_is_printed_what_to_type(stand_in: Path) -> None:
    done = run(SCONTROL_FAILS="yes")
    assert done.returncode == 75, done.stderr
    command = done.stderr.partition("type on a login node: ")[2]
    typed = subprocess.run(["bash", "-c", command], cwd="/", capture_output=True, text=True)
    assert typed.stdout == f"submitted in {stand_in}: long-fit.sbatch\n"
