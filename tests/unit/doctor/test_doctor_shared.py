"""A directory that does not keep what a run relies on is noticed."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from espei_hpc.doctor import shared
from espei_hpc.doctor.finding import Line, Severity

RANKS = 2


def read_while(directory: Path, write: Callable[[Path], None]) -> Line:
    """Let one rank read what ``write`` makes of the file that should be replaced as a whole."""
    for name in ("rank-other", "writer", "lock"):
        (directory / name).touch()
    reader: list[dict[str, Any]] = []
    thread = threading.Thread(
        target=lambda: reader.append(shared.take_part(directory, "reader", RANKS, seconds=60))
    )
    thread.start()
    (directory / "replaced").write_text("{}")
    (directory / "begun").touch()
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        write(directory / "replaced")
    (directory / "over").touch()
    thread.join()
    seen = reader[0]["seen"]
    other = {"seen": seen, "after": 0.0, "locks": True}
    reports = [{"process": "other", "files": other}, {"process": "reader", "files": reader[0]}]
    (line,) = shared.lines([{"host": "a", **report} for report in reports], RANKS)
    return line


def test_file_seen_half_written_is_a_fault(tmp_path: Path) -> None:
    def in_place(path: Path) -> None:
        with path.open("w") as file:
            file.write('{"half": ')
            file.flush()
            file.write('"other"}')

    line = read_while(tmp_path, in_place)
    assert line.state == Severity.FAULT
    assert "half written" in line.seen


def test_file_that_is_gone_for_a_moment_is_a_warning(tmp_path: Path) -> None:
    def removed_first(path: Path) -> None:
        path.unlink()
        new = path.with_name("new")
        new.write_text("{}")
        new.rename(path)

    line = read_while(tmp_path, removed_first)
    assert line.state == Severity.WARNING
    assert "briefly missing" in line.seen


def test_lock_that_keeps_nobody_out_is_told_with_what_stands_in(tmp_path: Path) -> None:
    def replaced(path: Path) -> None:
        new = path.with_name("new")
        new.write_text("{}")
        new.replace(path)

    # Nobody holds the lock that this rank tries.
    line = read_while(tmp_path, replaced)
    assert line.state == Severity.OK
    assert "locks are not shared by all ranks" in line.seen


@pytest.mark.parametrize("ranks", [1, 3])
def test_ranks_without_mpi_find_each_other(ranks: int, tmp_path: Path) -> None:
    told: dict[str, dict[str, Any]] = {}
    threads = [
        threading.Thread(
            target=lambda name=str(rank): told.update({name: shared.take_part(tmp_path, name, ranks, 60)})
        )
        for rank in range(ranks)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([files for files in told.values() if "locks" in files]) == 1
    assert all(len(files["seen"]) == ranks for files in told.values())
    read = sum(files.get("read", 0) for files in told.values())
    (line,) = shared.lines(
        [{"process": name, "host": "a", "files": files} for name, files in told.items()], ranks
    )
    assert line.state == Severity.OK
    # One alone has nobody to see its file replaced.
    assert ("replaced atomically" in line.seen) == (read > 0) == (ranks > 1)
