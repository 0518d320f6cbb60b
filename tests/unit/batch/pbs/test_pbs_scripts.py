"""The examples for PBS and Torque, run in bash with commands that answer as those of OpenPBS."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from support import ROOT, wait_until

FOLDERS = ("pbs-examples", "pbs-examples/torque")

# What a server without flatuid answers to a node.
QSUB = r"""
[[ ! ${QSUB_FAILS:-} ]] || { echo 'qsub: Bad UID for job execution' >&2 && exit 175; }
echo "submitted in $PWD: $*"
"""
# cat prints an espei-mpi that does FIT and ends with FIT_CODE; again tells that it was asked and ends with
# AGAIN_CODE; else it tells of its call.
APPTAINER = r"""
shift 2
case "$*" in
'cat /usr/local/bin/espei-mpi') echo 'echo "ran $*"; eval "${FIT:-}"; exit ${FIT_CODE:-0}' ;;
'cat /usr/local/bin/pbs-remote-shell') cat "$REMOTE_SHELL" ;;
'espei-hpc again '*) echo asked && exit "${AGAIN_CODE:-0}" ;;
*) printf 'in the image: %s\n%s' "$*" "$ESPEI_HPC_JOB" ;;
esac
"""


@pytest.fixture(autouse=True)
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with commands that stand in for PBS's and for Apptainer on PATH."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, text in {"qsub": QSUB, "apptainer": APPTAINER}.items():
        (commands / name).write_text(f"#!/bin/bash\n{text}")
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}:/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nodes").write_text("node1\n" * 3)
    return tmp_path


def run(folder: str, kind: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run an example in a job; not as a login shell, whose profile would set PATH."""
    Path(f"{kind}.pbs").write_text((ROOT / folder / f"{kind}.pbs").read_text())
    job = {"PBS_JOBID": "41.head", "PBS_NODEFILE": str(Path("nodes").resolve()), "PBS_O_WORKDIR": os.getcwd()}
    return subprocess.run(
        ["bash", f"{kind}.pbs"], env={**os.environ, **job, **variables}, capture_output=True, text=True
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_image_mpi_leaves_all_to_the_script_that_protects_the_image_from_qdel(
    folder: str,
) -> None:
    done = run(folder, "image-mpi")
    words = "--image espei.sif --host-mpi image --in x.yaml"
    assert (done.returncode, done.stdout) == (0, f"ran {words}\n"), done.stderr


@pytest.mark.parametrize("folder", FOLDERS)
def test_long_fit_submits_itself_if_it_is_to_go_on(folder: str, stand_in: Path) -> None:
    done = run(folder, "long-fit", FIT_CODE="75")
    assert (done.returncode, done.stderr) == (75, "")
    assert f"submitted in {stand_in}: long-fit.pbs\n" in done.stdout
    done = run(folder, "long-fit", FIT_CODE="75", AGAIN_CODE="1")
    assert (done.returncode, "submitted" in done.stdout) == (75, False)


@pytest.mark.parametrize("folder", FOLDERS)
def test_long_fit_starts_no_image_for_the_answer_that_its_fit_left(folder: str, stand_in: Path) -> None:
    for answer, submits in (("restart 1 of 20: …", True), ("no restart: …", False)):
        leaves = f"mkdir -p x.run; echo '{answer}' >x.run/requeue"
        done = run(folder, "long-fit", FIT_CODE="75", FIT=leaves)
        assert (done.returncode, "asked" in done.stdout, "submitted" in done.stdout) == (75, False, submits)
        # Once: what it says is no longer true when the next job has run.
        assert not (stand_in / "x.run" / "requeue").exists()


@pytest.mark.parametrize("folder", FOLDERS)
def test_long_fit_lets_its_fit_answer_as_often_as_it_asks_itself(folder: str) -> None:
    text = (ROOT / folder / "long-fit.pbs").read_text()
    assert re.findall(r"--(?:requeue|times) (\d+)", text) == ["20", "20"]
    assert "at most 20 times" in text


@pytest.mark.parametrize("folder", FOLDERS)
def test_long_fit_prints_what_to_type_where_nodes_may_not_submit(folder: str, stand_in: Path) -> None:
    done = run(folder, "long-fit", FIT_CODE="75", QSUB_FAILS="yes")
    assert done.returncode == 75, done.stderr
    command = done.stderr.partition("type on a login node: ")[2]
    typed = subprocess.run(["bash", "-c", command], cwd="/", capture_output=True, text=True)
    assert typed.stdout == f"submitted in {stand_in}: long-fit.pbs\n"


@pytest.mark.parametrize("folder", FOLDERS)
def test_long_fit_from_standard_input_needs_its_file_before_it_starts(folder: str) -> None:
    text = (ROOT / folder / "long-fit.pbs").read_text()
    job = {**os.environ, "PBS_JOBID": "41.head"}
    done = subprocess.run(["bash"], input=text, env=job, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (64, "")
    assert "save this script there, or set script= to its name" in done.stderr
    Path("long-fit.pbs").write_text(text)
    job |= {"FIT_CODE": "75", "QSUB_FAILS": "yes"}
    done = subprocess.run(["bash"], input=text, env=job, capture_output=True, text=True)
    assert (done.returncode, "type on a login node" in done.stderr) == (75, True), done.stderr


@pytest.mark.parametrize("kind", ["many-nodes", "host-mpi", "long-fit"])
def test_remote_shell_is_where_other_nodes_find_it_until_the_job_ends(kind: str, stand_in: Path) -> None:
    text = (ROOT / "pbs-examples" / f"{kind}.pbs").read_text()
    text, number = re.subn(
        r"^# (remote_shell=|apptainer exec|eval |\(setsid )", r"\1", text, flags=re.MULTILINE
    )
    assert number == 4
    # The job's own TMPDIR is on its node's disk.
    (stand_in / "local").mkdir()
    ran = (
        'ls -A "$PWD" "$TMPDIR"; echo "agent: $OMPI_MCA_plm_rsh_agent $OMPI_MCA_orte_leave_session_attached"'
    )
    Path("bin/mpirun").touch(mode=0o755)
    variables = {
        "PBS_JOBID": "41.head",
        "PBS_O_WORKDIR": str(stand_in),
        "TMPDIR": str(stand_in / "local"),
        "REMOTE_SHELL": str(ROOT / "entrypoints" / "pbs-remote-shell"),
        "FIT": ran,
    }
    Path(f"{kind}.pbs").write_text(text)
    done = subprocess.run(
        ["bash", f"{kind}.pbs"], env={**os.environ, **variables}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    place = stand_in / ".pbs-remote-shell-41.head"
    assert f"agent: {place} 1\n" in done.stdout
    assert f"\n{place.name}\n" in f"\n{done.stdout}"
    wait_until(lambda: not place.exists(), "the file's removal")
