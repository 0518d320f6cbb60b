"""Slurm: ``SLURM_*``, ``squeue``, ``sbatch``."""

import itertools
import re
from collections.abc import Iterator, Mapping

from espei_hpc.batch.allocation import Allocation
from espei_hpc.batch.duration import seconds
from espei_hpc.batch.job_end import JobEnd
from espei_hpc.batch.submission import Submission
from espei_hpc.batch.system import BatchSystem
from espei_hpc.environment import first_number

_HOST = re.compile(r"(?:[^][,]|\[[^][]*\])+")
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_TASKS = re.compile(r"(\d+)(?:\(x(\d+)\))?")
_UNLIMITED = "UNLIMITED"


class Slurm(BatchSystem):
    """Slurm."""

    name = "Slurm"
    prefixes = ("SLURM_",)
    submission = Submission("slurm", "Slurm", command="sbatch", ending="sbatch", directive="#SBATCH")

    def recognises(self, environment: Mapping[str, str]) -> bool:
        """A job of Slurm has ``SLURM_JOB_ID``."""
        return bool(environment.get("SLURM_JOB_ID"))

    def allocation(self, environment: Mapping[str, str]) -> Allocation:
        """Return what is granted to the job: tasks, on each of its hosts."""
        granted = _ranks_on(environment)
        # Without --ntasks there is no SLURM_NTASKS, only a number of tasks per host.
        ranks = first_number(environment, "SLURM_NTASKS")
        return Allocation(
            system=self,
            job=environment["SLURM_JOB_ID"],
            index=environment.get("SLURM_ARRAY_TASK_ID", ""),
            ranks_on=granted,
            ranks=ranks if ranks is not None else sum(granted.values()) or None,
            nodes=first_number(environment, "SLURM_JOB_NUM_NODES", "SLURM_NNODES") or len(granted) or None,
            end=self.end(environment),
            cores_per_rank=first_number(environment, "SLURM_CPUS_PER_TASK"),
        )

    def question(self, job: str) -> tuple[str, ...]:
        """Return the command that prints ``1-02:03:04``, or ``UNLIMITED``."""
        return ("squeue", "--noheader", f"--jobs={job}", "--format=%L")

    def time_left(self, answer: str, asked: float, ahead: float | None) -> float | None:
        """Return the time left of a job in seconds, infinite without a limit; None if not in the answer."""
        first = answer.strip().partition("\n")[0].strip()
        return float("inf") if first == _UNLIMITED else seconds(first)

    def end(self, environment: Mapping[str, str]) -> JobEnd | None:
        """Return when the job ends, which Slurm sets since 23.02; before that by the answer handed over."""
        end = first_number(environment, "SLURM_JOB_END_TIME")
        return super().end(environment) if end is None else JobEnd(float(end), "SLURM_JOB_END_TIME")


def expand(text: str) -> tuple[str, ...]:
    """Expand a list of hosts, in order: ``n[08-10,12],login`` has five.

    Raises:
        ValueError: if it is not such a list.
    """
    hosts: list[str] = []
    for part in _parts(text):
        # Names and ranges alternate; with several ranges in a name, the last one varies fastest.
        pieces = re.split(r"\[([^][]*)\]", part)
        choices = [[piece] if number % 2 == 0 else _numbers(piece) for number, piece in enumerate(pieces)]
        hosts += map("".join, itertools.product(*choices))
    return tuple(hosts)


def tasks(text: str) -> tuple[int, ...]:
    """Expand a list of tasks per host: ``2(x3),1`` is 2, 2, 2, 1.

    Raises:
        ValueError: if it is not such a list.
    """
    counts: list[int] = []
    for part in text.split(","):
        match = _TASKS.fullmatch(part)
        if match is None:
            raise ValueError(f"not a list of tasks: {text!r}")
        counts += [int(match[1])] * int(match[2] or 1)
    return tuple(counts)


def _ranks_on(environment: Mapping[str, str]) -> dict[str, int]:
    nodes = environment.get("SLURM_JOB_NODELIST") or environment.get("SLURM_NODELIST", "")
    try:
        return dict(zip(expand(nodes), tasks(environment.get("SLURM_TASKS_PER_NODE", "")), strict=True))
    except ValueError:
        # Inside a step the hosts may be the job's but the tasks the step's.
        return {}


def _parts(text: str) -> Iterator[str]:
    """Split at commas outside of brackets."""
    end = 0
    while match := _HOST.match(text, end):
        yield match[0]
        if match.end() == len(text):
            return
        end = match.end() + 1
        if text[match.end()] != ",":
            break
    raise ValueError(f"not a list of hosts: {text!r}")


def _numbers(ranges: str) -> list[str]:
    """Return the numbers of ``08-10,12`` with their leading zeros."""
    numbers: list[str] = []
    for part in ranges.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError(f"not a range of numbers: {part!r}")
        first, last = match[1], match[2] or match[1]
        numbers += [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
    return numbers
