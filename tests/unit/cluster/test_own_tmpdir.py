"""A TMPDIR that only the host has, as some batch systems make one for each job, is in the container too."""

import os
import subprocess
from pathlib import Path

import pytest

from espei_hpc.mpi import sharing
from support import ROOT

RANK = ["/usr/bin/env", "echo", "espei.sif", "espei-hpc", "rank"]
"""Of these words the first two stand for Apptainer and its command."""
PRINT = '#!/bin/bash\nprintf "%s\\n" "${TMPDIR-unset}" "$@" >&2\nexit 9\n'


def started(scratch: str, here: str) -> list[str]:
    """Return what a rank is started with.

    Args:
        scratch: TMPDIR where the launcher starts.
        here: TMPDIR on the host of the rank.
    """
    words = sharing.rank_command("apptainer", {"TMPDIR": scratch}, RANK)
    done = subprocess.run(words, env={**os.environ, "TMPDIR": here}, capture_output=True, text=True)
    return done.stdout.split()


@pytest.mark.parametrize("name", ["12.head", "of a job"])
def test_rank_has_the_tmpdir_of_its_host(name: str, tmp_path: Path) -> None:
    own = tmp_path / name
    own.mkdir()
    assert started("/local/12.head", str(own)) == ["--bind", *str(own).split(), *RANK[2:]]


@pytest.mark.parametrize("name", ["missing", "a:b", "a,b"])
def test_rank_starts_where_its_host_has_no_such_directory(name: str, tmp_path: Path) -> None:
    if name != "missing":
        (tmp_path / name).mkdir()
    assert started("/local/12.head", str(tmp_path / name)) == [*RANK[2:]]


@pytest.mark.parametrize("scratch", [{}, {"TMPDIR": "/tmp"}, {"TMPDIR": "/var/tmp/pbs.12.head"}])
def test_directories_that_apptainer_binds_by_itself_are_left_to_it(scratch: dict[str, str]) -> None:
    assert sharing.rank_command("apptainer", scratch, RANK) == RANK


def script(tmp_path: Path, *words: str, tmpdir: Path) -> list[str]:
    """Return TMPDIR and the words with which espei-mpi starts Python."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "espei-mpi").write_text((ROOT / "entrypoints" / "espei-mpi").read_text())
    for name in ("espei-hpc", "apptainer"):
        (tmp_path / "bin" / name).write_text(PRINT)
        (tmp_path / "bin" / name).chmod(0o755)
    env = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "TMPDIR": str(tmpdir)}
    done = subprocess.run(
        ["bash", tmp_path / "bin" / "espei-mpi", *words], env=env, capture_output=True, text=True
    )
    assert done.returncode == 9, done.stderr
    return done.stderr.splitlines()


def test_script_leaves_out_a_tmpdir_that_is_not_here(tmp_path: Path) -> None:
    assert script(tmp_path, "x.yaml", tmpdir=tmp_path / "missing")[0] == "unset"


def test_script_keeps_a_tmpdir_and_the_checks_see_it(tmp_path: Path) -> None:
    tmpdir, *words = script(tmp_path, "--image", "espei.sif", "x.yaml", tmpdir=tmp_path)
    assert tmpdir == str(tmp_path)
    assert words[:6] == ["exec", "--bind", "/:/host:ro", "--bind", str(tmp_path), "espei.sif"]
