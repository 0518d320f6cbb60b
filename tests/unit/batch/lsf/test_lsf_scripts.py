"""The examples for LSF are options of bsub, and their commands do what they should with a stand-in of LSF.

No LSF runs here: options and output are those of the documentation of version 10.1.
"""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from espei_hpc.batch.scripts import JobScript
from espei_hpc.batch.scripts.kinds import KINDS
from espei_hpc.batch.scripts.submitting import submit, write
from support import ROOT

EXAMPLES = ROOT / "lsf-examples"
ALLOWED = {
    "-L": r"/bin/bash",
    "-P": r"[\w.@:+-]+",
    "-Q": r"\d+( \d+)*",
    "-R": r"span\[ptile=[1-9]\d*\]",
    # [hour:]minute
    "-W": r"(\d+:)?\d+",
    "-n": r"[1-9]\d*",
    "-o": r"lsf-%J(-%I)?\.out",
    "-r": r"",
}
BSUB = """
number=$(($(cat submitted 2>/dev/null | wc -l) + 11))
echo "${ESPEI_HPC_STEP:-} $(printf '%q ' "$@")$(cksum)" >>submitted
echo "Job <$number> is submitted to default queue <normal>."
"""
APPTAINER = """
case $* in
*' cat '*) echo "echo ran \\"\\${@:1}\\"; exit $FIT_CODE" ;;
*' espei-hpc again '*) exit "$AGAIN_CODE" ;;
*) echo "in the image: $*" ;;
esac
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory, with commands in place of LSF's and of Apptainer."""
    (tmp_path / "bin").mkdir()
    for name, script in (("bsub", BSUB), ("apptainer", APPTAINER)):
        (tmp_path / "bin" / name).write_text(f"#!/bin/bash\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(kind: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "FIT_CODE": "0", "AGAIN_CODE": "1", **variables}
    return subprocess.run(["bash", EXAMPLES / f"{kind}.lsf"], env=env, capture_output=True, text=True)


def directives(kind: str) -> dict[str, str]:
    lines = (EXAMPLES / f"{kind}.lsf").read_text().splitlines()
    words = [shlex.split(line)[1:] for line in lines if line.startswith("#BSUB ")]
    found = {option: " ".join(value) for option, *value in words}
    assert len(found) == len(words), "an option is given twice"
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_directive_is_an_option_of_bsub(kind: str) -> None:
    found = directives(kind)
    assert {"-P", "-R", "-W", "-n", "-o"} <= set(found)
    for option, value in found.items():
        assert re.fullmatch(ALLOWED[option], value), (option, value)


@pytest.mark.parametrize("kind", KINDS)
def test_example_says_that_it_is_untested(kind: str) -> None:
    assert "not run on a real LSF yet" in (EXAMPLES / f"{kind}.lsf").read_text()


def test_script_is_submitted_on_standard_input(stand_in: Path) -> None:
    job = JobScript("lsf", "one-node", ("x.yaml",), "espei.sif", None, 1, 8, 24.0, "x.lsf")
    path = write(job, "text\n")
    assert submit(job, path) == "Job <11> is submitted to default queue <normal>."
    checksum = subprocess.run(["cksum"], stdin=path.open(), capture_output=True, text=True).stdout
    assert Path("submitted").read_text().split() == ["''", *checksum.split()]
    assert job.submit == "bsub <x.lsf"


def test_array_is_followed_by_the_job_that_lists_what_is_finished(stand_in: Path) -> None:
    done = run("array")
    assert done.stdout == "11: the fits; 12: lists which are finished\n", done.stderr
    fits, collecting = map(shlex.split, Path("submitted").read_text().splitlines())
    assert fits[:2] == ["-J", "fits[1-2]"]
    assert collecting[:3] == ["collect", "-w", "ended(11)"]
    # Both are this file.
    assert fits[2:] == collecting[7:]


@pytest.mark.parametrize(("index", "directory"), [("1", "cu-mg"), ("2", "al-mg")])
def test_each_job_of_the_array_has_its_input(index: str, directory: str, stand_in: Path) -> None:
    (stand_in / directory).mkdir()
    done = run("array", LSB_JOBID="11", LSB_JOBINDEX=index)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:5] == ["ran", "--image", str(stand_in / "espei.sif"), "--in", "x.yaml"]


def test_second_job_of_the_chain_waits_for_the_first(stand_in: Path) -> None:
    done = run("chain")
    assert done.stdout == "11: generates parameters; 12: fits them\n", done.stderr
    first, second = map(shlex.split, Path("submitted").read_text().splitlines())
    assert first[:3] == ["generate", "-n", "1"]
    assert second[:4] == ["fit", "-w", "done(11)", "-ti"]


@pytest.mark.parametrize("kind", ["array", "chain"])
def test_script_that_submits_itself_does_not_do_so_from_a_job(kind: str, stand_in: Path) -> None:
    done = run(kind, LSB_JOBID="11", LSB_JOBINDEX="0")
    assert (done.returncode, "start this script with: bash" in done.stderr) == (64, True)
    assert not Path("submitted").exists()


@pytest.mark.parametrize(
    ("fit", "again", "code"), [("0", "0", 0), ("75", "0", 99), ("75", "1", 75), ("65", "1", 65)]
)
def test_long_fit_is_requeued_by_its_exit_code(fit: str, again: str, code: int, stand_in: Path) -> None:
    assert directives("long-fit")["-Q"] == "99"
    assert run("long-fit", FIT_CODE=fit, AGAIN_CODE=again).returncode == code
