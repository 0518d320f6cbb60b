"""What the ranks of a trial do in the directory they share, and what that says of it.

No MPI is needed for it: who does what is decided by files, as between the ranks
and the fit of a real run.
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
"""So long that a reader meets the file half written wherever it is not renamed as a whole."""
OTHER_DIRECTORY = "use a directory on a file system that all hosts share; in a container, bind it there too"


def take_part(directory: Path, name: str, ranks: int, seconds: float) -> dict[str, Any]:
    """Be one of ``ranks`` that look at one directory.

    Args:
        directory: empty when the first rank comes.
        name: of this rank, unique.
        ranks: how many take part.
        seconds: deadline, s.

    Returns:
        ``seen``, the names of the ranks whose file this one saw; ``after``, s; then for the one rank
        that writes ``locks`` (whether it had the lock; None if there are none), for the others ``read``,
        ``torn``, ``missing`` (counts of the file that was rewritten) and ``held_off`` (whether the
        lock kept this one out). Or ``error`` alone.
    """
    try:
        meeting = _Meeting(directory, name, time.monotonic() + seconds)
        told = meeting.come(ranks)
        return told | (meeting.write(ranks) if meeting.is_first() else meeting.read())
    except OSError as error:
        return {"error": f"{error.strerror or error}"}


def lines(reports: Sequence[Mapping[str, Any]], ranks: int) -> list[Line]:
    """Tell what ranks saw of the directory they were to share."""
    told = [(report, report["files"]) for report in reports if "files" in report]
    if not told:
        return []
    hosts = len({report.get("host") for report, _ in told})
    broken = [f"{report['process']}: {files['error']}" for report, files in told if "error" in files]
    if broken:
        return [fault(TOPIC, f"it cannot be used by rank {broken[0]}", OTHER_DIRECTORY)]
    blind = [(report, files) for report, files in told if len(files["seen"]) < ranks]
    if blind:
        report, files = blind[0]
        seen = (
            f"rank {report['process']} saw the files of only {len(files['seen'])} of {counted(ranks, 'rank')}"
        )
        others = f" ({', '.join(files['seen'])}), and {len(blind) - 1} others as few"
        return [fault(TOPIC, seen + others, OTHER_DIRECTORY)]
    slowest = max(files["after"] for _, files in told)
    where = f"{counted(ranks, 'rank')} on {counted(hosts, 'host')}"
    seen = f"{where} saw each other's files within {slowest:.1f} s"
    return [_quality(seen, [files for _, files in told])]


def _quality(seen: str, told: Sequence[Mapping[str, Any]]) -> Line:
    if not any(files.get("read") for files in told):
        return ok(TOPIC, seen)
    torn = sum(files.get("torn", 0) for files in told)
    missing = sum(files.get("missing", 0) for files in told)
    if torn:
        cure = "use another file system: results and checkpoints are not safe here"
        return fault(
            TOPIC, f"{seen}, but {counted(torn, 'time')} a file that was replaced was seen half written", cure
        )
    if missing:
        seen = f"{seen}; {counted(missing, 'time')} a file that was replaced was not there for a moment"
        return warning(TOPIC, seen, "use another file system if a fit complains of missing files")
    return ok(TOPIC, f"{seen}; replaced files stay whole, {_locks(told)}")


def _locks(told: Sequence[Mapping[str, Any]]) -> str:
    if all(files["held_off"] for files in told if "held_off" in files):
        return "locks hold"
    # As checkpoint.lock does.
    return "locks do not reach all ranks: the time stamp of a run's lock stands in"


class _Meeting:
    """One rank's part.

    Args:
        directory: where all meet.
        name: of this rank.
        end: when to give up, by the monotonic clock.
    """

    def __init__(self, directory: Path, name: str, end: float) -> None:
        self._directory = directory
        self._name = name
        self._end = end

    def come(self, ranks: int) -> dict[str, Any]:
        """Show ourselves, and wait for the others."""
        began = time.monotonic()
        pass_json(self._directory / f"rank-{self._name}", {})
        self._wait(lambda: len(self._there("rank-")) >= ranks)
        return {"seen": self._there("rank-"), "after": time.monotonic() - began}

    def is_first(self) -> bool:
        """Whether this rank is the one that writes: who makes the file."""
        with suppress(FileExistsError):
            os.close(os.open(self._directory / "writer", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            return True
        return False

    def write(self, ranks: int) -> dict[str, Any]:
        """Replace a file again and again, under the eyes and with the lock of all."""
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
        """Read the file that the writer replaces, until it is over; try its lock."""
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
    """Try the kernel's lock; None if the file system has none."""
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
