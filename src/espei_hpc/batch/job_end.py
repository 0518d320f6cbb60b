"""When a job ends: from its variables, or from the output of a batch system command."""

import contextlib
import datetime
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from espei_hpc.batch.duration import seconds

HANDED_ANSWER = "ESPEI_HPC_JOB"
"""Variable with the answer to ``question`` on the host, since a container lacks the batch system's commands.

Its first line is the time of the query: seconds since 1970, and the UTC offset of local time (``+0100``).
"""

SINCE = "ESPEI_HPC_SINCE"
"""Variable with the time at which ``espei-mpi`` started, s since 1970."""

_ATTRIBUTE = re.compile(r"^ {4}([\w.]+) = (.*)$", re.MULTILINE)
_UNLIMITED = "UNLIMITED"


@dataclass(frozen=True)
class JobEnd:
    """When a job ends.

    Attributes:
        at: time, s since 1970; infinite if there is no limit.
        known_by: source of the time.
    """

    at: float
    known_by: str

    @property
    def left(self) -> float:
        """Seconds from now; negative if the end has passed."""
        return self.at - time.time()


def job_end(environment: Mapping[str, str]) -> JobEnd | None:
    """Return when the job around a process ends; None if its variables do not show it.

    Slurm sets the end since 23.02, Torque the walltime. Other batch systems, and older ones, must be
    queried, which a script on the host does for a container (``HANDED_ANSWER``).
    """
    end = environment.get("SLURM_JOB_END_TIME", "")
    if end.isascii() and end.isdecimal():
        return JobEnd(float(end), "SLURM_JOB_END_TIME")
    return _handed(environment.get(HANDED_ANSWER, "")) or _torque(environment)


def from_duration(text: str, known_by: str, environment: Mapping[str, str]) -> JobEnd | None:
    """Return the end of a job from its time left; None if the text is not a duration.

    It counts from the start of the script around this process, if the environment has it (``SINCE``).
    """
    left, since = seconds(text), environment.get(SINCE, "")
    begin = float(since) if since.isascii() and since.isdecimal() else time.time()
    return None if left is None else JobEnd(begin + left, known_by)


def from_answer(answer: str, asked: float, ahead: float | None = None) -> JobEnd | None:
    """Return the end of a job from the answer of the batch system.

    Args:
        answer: output of ``squeue --format=%L``, or of ``qstat -f``, from which only the lines with
            ``walltime`` and ``stime`` are needed.
        asked: time of the query, s since 1970.
        ahead: UTC offset of its local time, s; None for that of this process.
    """
    first = answer.strip().partition("\n")[0].strip()
    if first == _UNLIMITED:
        return JobEnd(float("inf"), "squeue")
    if (left := seconds(first)) is not None:
        return JobEnd(asked + left, "squeue")
    left = _qstat(answer, asked, ahead)
    return None if left is None else JobEnd(asked + left, "qstat")


def _qstat(answer: str, asked: float, ahead: float | None) -> float | None:
    # Lines are folded at commas, and at 80 characters, by a line feed and a tab.
    told = dict(_ATTRIBUTE.findall(re.sub(r"\r?\n\t", "", answer)))
    if (left := told.get("Walltime.Remaining", "")).removeprefix("-").isdecimal():
        return float(left)  # computed by Torque
    granted = seconds(told.get("Resource_List.walltime", ""))
    if granted is None:
        return None
    # The used walltime is updated only every two minutes or so; the time since the start is too long for a
    # job that was suspended. The larger of both is the safe choice.
    used = seconds(told.get("resources_used.walltime", "")) or 0.0
    start = _time(told.get("stime", ""), ahead)
    return granted - max(used, asked - start if start is not None else 0.0)


def _time(text: str, ahead: float | None) -> float | None:
    """Parse the format of ctime(3), in English regardless of the locale; return s since 1970."""
    words = text.split()
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    with contextlib.suppress(ValueError, IndexError, OverflowError):
        hour, minute, second = (int(part) for part in words[3].split(":"))
        at = datetime.datetime(int(words[4]), months.index(words[1]) + 1, int(words[2]), hour, minute, second)
        zone = None if ahead is None else datetime.timezone(datetime.timedelta(seconds=ahead))
        return at.replace(tzinfo=zone).timestamp()
    return None


def _handed(text: str) -> JobEnd | None:
    asked, _, answer = text.partition("\n")
    match = re.fullmatch(r"(\d+) ([+-])(\d\d)(\d\d)", asked.strip(), re.ASCII)
    if match is None:
        return None
    ahead = (int(match[3]) * 60 + int(match[4])) * 60.0
    return from_answer(answer, float(match[1]), -ahead if match[2] == "-" else ahead)


def _torque(environment: Mapping[str, str]) -> JobEnd | None:
    granted = seconds(environment.get("PBS_WALLTIME", ""))
    node_file = environment.get("PBS_NODEFILE")
    if granted is None or not node_file:
        return None
    with contextlib.suppress(OSError):
        # The node file is written when the job starts.
        return JobEnd(Path(node_file).stat().st_mtime + granted, "PBS_WALLTIME")
    return None
