"""PBS Pro, OpenPBS and Torque: ``PBS_*``, ``qstat``, ``qsub``."""

import contextlib
import datetime
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from espei_hpc.batch.allocation import Allocation
from espei_hpc.batch.duration import seconds
from espei_hpc.batch.hosts import counted
from espei_hpc.batch.job_end import JobEnd
from espei_hpc.batch.submission import Submission
from espei_hpc.batch.system import BatchSystem, read

HANDED_NODES = "ESPEI_HPC_NODES"
"""Variable with the job's node file, as ``uniq -c`` prints it: a container does not see the file."""

_TIMES = re.compile(r" +(stime|.*[Ww]alltime.*) =")
_ATTRIBUTE = re.compile(r"^ {4}([\w.]+) = (.*)$", re.MULTILINE)


class Pbs(BatchSystem):
    """PBS Pro and OpenPBS, which set the same variables."""

    name = "PBS"
    submission = Submission(
        "pbs",
        "PBS",
        command="qsub",
        ending="pbs",
        directive="#PBS",
        # That of all PBS; newer ones accept 236.
        longest_name=15,
        dialects={"select": "PBS Pro and OpenPBS", "nodes": "Torque"},
    )
    prefixes = ("PBS_",)
    node_file = "PBS_NODEFILE"
    index_variable: ClassVar[str] = "PBS_ARRAY_INDEX"

    def recognises(self, environment: Mapping[str, str]) -> bool:
        """A job of PBS has ``PBS_JOBID``."""
        return bool(environment.get("PBS_JOBID"))

    def allocation(self, environment: Mapping[str, str]) -> Allocation:
        """Return what is granted to the job: the lines of its node file."""
        granted = _ranks_on(environment)
        return Allocation(
            system=self,
            job=environment["PBS_JOBID"],
            index=environment.get(self.index_variable, ""),
            ranks_on=granted,
            ranks=sum(granted.values()) or None,
            nodes=len(granted) or None,
            end=self.end(environment),
        )

    def question(self, job: str) -> tuple[str, ...]:
        """Return the command that prints all attributes of a job."""
        return ("qstat", "-f", job)

    def needed(self, answer: str) -> str:
        """Return the lines that ``time_left`` needs; others have the job's whole environment."""
        return "\n".join(line for line in answer.splitlines() if _TIMES.match(line))

    def handed_nodes(self, text: str) -> dict[str, str]:
        """Return the node file, counted: a job may have thousands of ranks."""
        return {HANDED_NODES: "\n".join(f"{ranks} {host}" for host, ranks in lines(text).items())}

    def time_left(self, answer: str, asked: float, ahead: float | None) -> float | None:
        """Return the time left; of the answer only the lines with ``walltime`` and ``stime`` are needed."""
        # Lines are folded at commas, and at 80 characters, by a line feed and a tab.
        shown = dict(_ATTRIBUTE.findall(re.sub(r"\r?\n\t", "", answer)))
        if (left := shown.get("Walltime.Remaining", "")).removeprefix("-").isdecimal():
            return float(left)  # computed by Torque
        granted = seconds(shown.get("Resource_List.walltime", ""))
        if granted is None:
            return None
        # The used walltime is updated only every two minutes or so; the time since the start is too long
        # for a job that was suspended. The larger of both is the safe choice.
        used = seconds(shown.get("resources_used.walltime", "")) or 0.0
        start = _time(shown.get("stime", ""), ahead)
        return granted - max(used, asked - start if start is not None else 0.0)


class Torque(Pbs):
    """Torque, which also sets its version and the walltime."""

    name = "Torque"
    index_variable = "PBS_ARRAYID"

    def recognises(self, environment: Mapping[str, str]) -> bool:
        """A job of Torque has its version too, or the ranks per node, or the walltime."""
        version = environment.get("PBS_VERSION", "").startswith("TORQUE")
        marked = version or not {"PBS_NUM_PPN", "PBS_WALLTIME"}.isdisjoint(environment)
        return marked and super().recognises(environment)

    def end(self, environment: Mapping[str, str]) -> JobEnd | None:
        """Return when the job ends; if nobody was asked, its walltime after its node file was written."""
        return super().end(environment) or _by_walltime(environment)


def lines(text: str) -> dict[str, int]:
    """Return the ranks on each host from a node file, which has one line per rank."""
    return dict(Counter(text.split()))


def _ranks_on(environment: Mapping[str, str]) -> dict[str, int]:
    text = read(environment.get("PBS_NODEFILE"))
    if text is not None:
        return lines(text)
    try:
        return counted(environment.get(HANDED_NODES, ""), host=1, number=0)
    except ValueError:
        return {}


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


def _by_walltime(environment: Mapping[str, str]) -> JobEnd | None:
    granted = seconds(environment.get("PBS_WALLTIME", ""))
    node_file = environment.get("PBS_NODEFILE")
    if granted is None or not node_file:
        return None
    with contextlib.suppress(OSError):
        # The node file is written when the job starts.
        return JobEnd(Path(node_file).stat().st_mtime + granted, "PBS_WALLTIME")
    return None
