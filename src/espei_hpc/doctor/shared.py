"""Test the directory that the ranks of a trial share.

MPI is not needed: the ranks coordinate through files, like the ranks and the fit of
a real run.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from espei_hpc.doctor.finding import Line, fault, ok, warning
from espei_hpc.rundir.files import pass_json
from espei_hpc.text import counted

TOPIC = "shared directory"
POLL_SECONDS = 0.02
REWRITES = 100
REWRITE_SECONDS = 0.005
CONTENT = "x" * 20_000
"""Long enough that a reader sees a half-written file if a rename is not atomic."""
OTHER_DIRECTORY = "use a directory on a file system that all hosts share; in a container, bind it there too"


def take_part(directory: Path, name: str, ranks: int, seconds: float) -> dict[str, Any]:
    """Run one rank's part of the test.

    Args:
        directory: shared directory, initially empty.
        name: unique name of this rank.
        ranks: number of ranks in the test.
        seconds: timeout, s.

    Returns:
        ``seen``, the names of the ranks whose files this one saw; ``after``, s; then for the one rank
        that writes ``locks`` (whether it got the lock; None if locks are not supported), for the others
        ``read``, ``torn``, ``missing`` (counts of reads of the replaced file) and ``held_off`` (whether
        the lock kept this rank out). Only ``error`` if an operation failed.
    """
    try:
        meeting = _Meeting(directory, name, time.monotonic() + seconds)
        reported = meeting.come(ranks)
        return reported | (meeting.write(ranks) if meeting.is_first() else meeting.read())
    except OSError as error:
        return {"error": f"{error.strerror or error}"}


def lines(reports: Sequence[Mapping[str, Any]], ranks: int) -> list[Line]:
    """Return the lines about the shared directory."""
    reported = [(report, report["files"]) for report in reports if "files" in report]
    if not reported:
        return []
    hosts = len({report.get("host") for report, _ in reported})
    broken = [f"{report['process']}: {files['error']}" for report, files in reported if "error" in files]
    if broken:
        return [fault(TOPIC, f"not usable by rank {broken[0]}", OTHER_DIRECTORY)]
    blind = [(report, files) for report, files in reported if len(files["seen"]) < ranks]
    if blind:
        report, files = blind[0]
        seen = (
            f"rank {report['process']} saw the files of only {len(files['seen'])} of {counted(ranks, 'rank')}"
        )
        others = f" ({', '.join(files['seen'])}); so did {counted(len(blind) - 1, 'other rank')}"
        return [fault(TOPIC, seen + others, OTHER_DIRECTORY)]
    slowest = max(files["after"] for _, files in reported)
    where = f"{counted(ranks, 'rank')} on {counted(hosts, 'host')}"
    seen = f"{where} saw each other's files within {slowest:.1f} s"
    return [_quality(seen, [files for _, files in reported])]


def _quality(seen: str, reported: Sequence[Mapping[str, Any]]) -> Line:
    if not any(files.get("read") for files in reported):
        return ok(TOPIC, seen)
    torn = sum(files.get("torn", 0) for files in reported)
    missing = sum(files.get("missing", 0) for files in reported)
    if torn:
        cure = "use another file system: results and checkpoints are not safe here"
        return fault(
            TOPIC,
            f"{seen}, but a file was seen half written {counted(torn, 'time')} during replacement",
            cure,
        )
    if missing:
        seen = f"{seen}; a file was briefly missing {counted(missing, 'time')} during replacement"
        return warning(TOPIC, seen, "use another file system if a fit reports missing files")
    return ok(TOPIC, f"{seen}; files are replaced atomically, {_locks(reported)}")


def _locks(reported: Sequence[Mapping[str, Any]]) -> str:
    if all(files["held_off"] for files in reported if "held_off" in files):
        return "locks work"
    # As checkpoint.lock does.
    return "locks are not shared by all ranks: a run's lock uses its time stamp instead"


class _Meeting:
    """One rank's part of the test.

    Args:
        directory: the shared directory.
        name: name of this rank.
        end: time to give up, by the monotonic clock.
    """

    def __init__(self, directory: Path, name: str, end: float) -> None:
        self._directory = directory
        self._name = name
        self._end = end

    def come(self, ranks: int) -> dict[str, Any]:
        """Write this rank's file and wait for those of the others."""
        began = time.monotonic()
        pass_json(self._directory / f"rank-{self._name}", {})
        self._wait(lambda: len(self._there("rank-")) >= ranks)
        return {"seen": self._there("rank-"), "after": time.monotonic() - began}

    def is_first(self) -> bool:
        """Whether this rank is the writer: the one that creates the file."""
        with suppress(FileExistsError):
            os.close(os.open(self._directory / "writer", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            return True
        return False

    def write(self, ranks: int) -> dict[str, Any]:
        """Replace a file repeatedly while the other ranks read it, holding the lock."""
        with (self._directory / "lock").open("w") as lock:
            locked = _flock(lock.fileno())
            pass_json(self._directory / "replaced", {"content": CONTENT})
            pass_json(self._directory / "begun", {})
            for _ in range(REWRITES):
                pass_json(self._directory / "replaced", {"content": CONTENT})
                time.sleep(REWRITE_SECONDS)
            pass_json(self._directory / "over", {})
            self._wait(lambda: len(self._there("done-")) >= ranks - 1)
        return {"locks": locked}

    def read(self) -> dict[str, Any]:
        """Read the file that the writer replaces until the writer is done; try its lock."""
        self._wait((self._directory / "begun").exists)
        held_off = _is_held_off(self._directory / "lock")
        read = torn = missing = 0
        while not (self._directory / "over").exists() and time.monotonic() < self._end:
            try:
                json.loads((self._directory / "replaced").read_text())
            except OSError:
                missing += 1
            except ValueError:
                torn += 1
            read += 1
        pass_json(self._directory / f"done-{self._name}", {})
        return {"read": read, "torn": torn, "missing": missing, "held_off": held_off}

    def _there(self, prefix: str) -> list[str]:
        names = (path.name.removeprefix(prefix) for path in self._directory.glob(f"{prefix}*"))
        return sorted(names)

    def _wait(self, look: Callable[[], bool]) -> None:
        while not look() and time.monotonic() < self._end:
            time.sleep(POLL_SECONDS)


def _flock(descriptor: int) -> bool | None:
    """Try to lock a file (flock); None if the file system does not support it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_held_off(path: Path) -> bool:
    with path.open("r+") as file:
        return _flock(file.fileno()) is False
