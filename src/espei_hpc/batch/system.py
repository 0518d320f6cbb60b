"""What is asked of every batch system; all that is known of one is in a module of its own."""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from espei_hpc.batch.allocation import Allocation
from espei_hpc.batch.job_end import JobEnd, handed_answer
from espei_hpc.batch.submission import Submission


class BatchSystem(ABC):
    """A batch system.

    Attributes:
        name: as shown to users.
        submission: how job scripts are submitted; None if espei-hpc writes none for it.
        limits_ranks: whether launchers take the number of ranks on each host from it, so that more ranks
            than granted must not be forced on them.
        prefixes: beginnings of the names of its variables.
        node_file: variable with the path of a file that has one line per rank; empty if there is none.
    """

    name: ClassVar[str]
    submission: ClassVar[Submission | None] = None
    limits_ranks: ClassVar[bool] = True
    prefixes: ClassVar[tuple[str, ...]]
    node_file: ClassVar[str] = ""

    @abstractmethod
    def recognises(self, environment: Mapping[str, str]) -> bool:
        """Whether a process with these variables runs in a job of it."""

    @abstractmethod
    def allocation(self, environment: Mapping[str, str]) -> Allocation:
        """Return what is granted to the job, from the variables of a process that runs in it."""

    def question(self, job: str) -> tuple[str, ...]:
        """Return the command that prints the time left of a job; empty if there is none."""
        return ()

    def time_left(self, answer: str, asked: float, ahead: float | None) -> float | None:
        """Return the time left of a job in seconds, infinite without a limit; None if not in the answer.

        Args:
            answer: output of ``question``.
            asked: time of the query, s since 1970.
            ahead: UTC offset of its local time, s; None for that of this process.
        """
        return None

    def needed(self, answer: str) -> str:
        """Return the part of an answer to ``question`` that ``time_left`` needs."""
        return answer

    def handed_nodes(self, text: str) -> dict[str, str]:
        """Return variables from which ``allocation`` learns the ranks where it cannot read ``node_file``.

        Args:
            text: content of the file.
        """
        return {}

    def answered(self, answer: str, asked: float, ahead: float | None = None) -> JobEnd | None:
        """Return when a job ends; None if the answer does not show it. Arguments as of ``time_left``."""
        left = self.time_left(answer, asked, ahead)
        return None if left is None else JobEnd(asked + left, self.question("")[0])

    def end(self, environment: Mapping[str, str]) -> JobEnd | None:
        """Return when the job ends, from the variables of a process that runs in it; None if not known.

        A batch system that sets no such variable must be queried, which a script on the host does for a
        container.
        """
        handed = handed_answer(environment)
        return self.answered(*handed) if handed else None


def read(path: str | None) -> str | None:
    """Return the text of a file that a variable names; None if it cannot be read, as in a container."""
    with contextlib.suppress(OSError):
        return Path(path).read_text() if path else None
    return None
