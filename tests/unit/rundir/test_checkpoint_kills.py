"""Killed while it writes: what was said to be kept is there."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest

from amounts import few_and_many
from espei_hpc.rundir.checkpoint.store import ASIDE, Store
from support import ROOT
from unit.rundir import appender
from unit.rundir.made_chain import expected, same


@contextmanager
def appending(directory: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """Append in another process, until the block is left; then it is killed (SIGKILL)."""
    paths = os.pathsep.join(filter(None, (str(ROOT / "tests"), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "unit.rundir.appender", str(directory), *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": paths}
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def told(process: "subprocess.Popen[str]") -> list[str]:
    """Return the lines that a process printed before its end."""
    assert process.stdout is not None
    return process.stdout.read().splitlines()


def assert_kept(directory: Path, at_least: int, at_most: int) -> None:
    store = Store(directory)
    saved = store.load()
    assert saved is not None
    assert store.notes == []
    assert at_least <= saved.state.iteration <= at_most
    assert same(saved, expected(saved.state.iteration))
    assert not list(directory.glob(".*"))
    assert not (directory / ASIDE).exists(), "something was half-written"


@few_and_many("kills", 8, 400)
def test_fault_17_kill_at_any_moment_loses_nothing_that_was_appended(tmp_path: Path, kills: int) -> None:
    moments = random.Random(17)
    kept = 0
    for _ in range(kills):
        with appending(tmp_path) as process:
            assert process.stdout is not None
            resumed = int(process.stdout.readline())
            time.sleep(moments.uniform(0, 0.05))
        assert resumed >= kept, "appended, but gone after the restart"
        kept = int([str(resumed), *told(process)][-1])
    # However busy the machine, many of them came while it was writing.
    assert kept > kills * appender.ITERATIONS_EACH / 10
    assert_kept(tmp_path, kept, kept + appender.ITERATIONS_EACH)


@pytest.mark.parametrize("moment", ["fsync", "rename", "renamed"])
def test_fault_17_kill_inside_the_write_loses_nothing_that_was_appended(tmp_path: Path, moment: str) -> None:
    with appending(tmp_path, moment) as process:
        assert process.stdout is not None
        before = [line.strip() for line in islice(process.stdout, appender.APPENDED_BEFORE_STOP + 2)]
    assert before[-1] == appender.STOPPED
    done = appender.APPENDED_BEFORE_STOP * appender.ITERATIONS_EACH
    assert before[-2] == str(done)
    assert len(list(tmp_path.glob(".*.tmp"))) == (moment != "renamed")
    renamed = appender.ITERATIONS_EACH if moment == "renamed" else 0
    assert_kept(tmp_path, done + renamed, done + renamed)
    with appending(tmp_path) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) == done + renamed
        after = int(process.stdout.readline())
    assert_kept(tmp_path, after, after + 100 * appender.ITERATIONS_EACH)
