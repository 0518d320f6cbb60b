"""What a release promises: the same wheel wherever it is built, with all that the commands need."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from support import BIN, ROOT

COMMITTED = 1_700_000_000
"""Seconds since 1970."""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The wheel of two checkouts of one commit, made in other places by users with other habits."""
    place = tmp_path_factory.mktemp("release")
    first, second = place / "first", place / "a" / "second one"
    for name in _git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0"):
        if (ROOT / name).is_file():
            (first / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, first / name)
    _git(first, "init", "--quiet")
    _git(first, "add", "--all")
    _git(first, "commit", "--quiet", "--message", "all")
    before = os.umask(0o077)
    try:
        _git(place, "clone", "--quiet", str(first), str(second))
        for path in second.rglob("*"):
            os.utime(path, (1_000_000_000, 1_000_000_000))
        (second / "src" / "espei_hpc" / "__pycache__").mkdir()
        (second / "src" / "espei_hpc" / "__pycache__" / "cli.pyc").write_text("left of a run")
        (second / "examples" / "cu-mg" / "trace.npy").write_text("left of a fit")
        later = _wheel(second)
    finally:
        os.umask(before)
    return [_wheel(first), later]


def _git(directory: Path, *words: str) -> str:
    date = f"{COMMITTED} +0100"
    who = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    done = subprocess.run(
        ["git", *who, *words],
        cwd=directory,
        env=os.environ | {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def _wheel(checkout: Path) -> Path:
    # What builds is there already; a new checkout's lock files only look newer.
    environment = BIN.parent
    words = ["make", f"ENVIRONMENT={environment}", f"--old-file={environment}/.locked", "wheel"]
    done = subprocess.run(words, cwd=checkout, capture_output=True, text=True, env=_without_date())
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (checkout / "dist").glob("*.whl")
    return wheel


def _without_date() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}


def test_wheel_has_the_same_bytes_from_every_checkout(wheels: list[Path]) -> None:
    one, other = wheels
    assert one.name == other.name
    with zipfile.ZipFile(one) as ours, zipfile.ZipFile(other) as theirs:
        assert [_entry(entry) for entry in ours.infolist()] == [_entry(entry) for entry in theirs.infolist()]
    assert one.read_bytes() == other.read_bytes()


def _entry(entry: zipfile.ZipInfo) -> tuple[str, int, int, object]:
    return entry.filename, entry.CRC, entry.external_attr, entry.date_time


def test_files_of_the_wheel_are_dated_as_the_commit(wheels: list[Path]) -> None:
    with zipfile.ZipFile(wheels[0]) as wheel:
        assert {entry.date_time for entry in wheel.infolist()} == {(2023, 11, 14, 22, 13, 20)}


def test_wheel_holds_what_the_commands_show(wheels: list[Path]) -> None:
    with zipfile.ZipFile(wheels[0]) as wheel:
        held = set(wheel.namelist())
    pages = {f"espei_hpc/cli/docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    datasets = {path.name for path in (ROOT / "examples" / "cu-mg" / "datasets").iterdir()}
    assert pages <= held
    assert {f"espei_hpc/inputs/scaffold/example/datasets/{name}" for name in datasets} <= held
    assert "espei_hpc/inputs/scaffold/example/mcmc.yaml" in held
