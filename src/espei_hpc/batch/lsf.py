"""IBM Spectrum LSF: ``LSB_*``, ``bjobs``, ``bsub``.

Written from the documentation of version 10.1; not run on a real LSF yet.
"""

import re
from collections.abc import Mapping

from espei_hpc.batch.allocation import Allocation
from espei_hpc.batch.hosts import counted
from espei_hpc.batch.submission import Submission
from espei_hpc.batch.system import BatchSystem
from espei_hpc.environment import first_number

_TIME_LEFT = re.compile(r"(\d+):(\d\d) ([LX])")
_NO_LIMIT = "-"


class Lsf(BatchSystem):
    """LSF."""

    name = "LSF"
    prefixes = ("LSB_",)
    submission = Submission(
        "lsf", "LSF", command="bsub", ending="lsf", directive="#BSUB", reads_input=True, seconds=False
    )

    def recognises(self, environment: Mapping[str, str]) -> bool:
        """A job of LSF has ``LSB_JOBID``."""
        return bool(environment.get("LSB_JOBID"))

    def allocation(self, environment: Mapping[str, str]) -> Allocation:
        """Return what is granted to the job: slots, on each of its hosts."""
        granted = _ranks_on(environment)
        # Arrays count from 1; outside of one the index is 0.
        number = first_number(environment, "LSB_JOBINDEX")
        index = str(number) if number else ""
        job = environment["LSB_JOBID"]
        slots = first_number(environment, "LSB_DJOB_NUMPROC")
        return Allocation(
            system=self,
            # The ID alone would be all jobs of the array.
            job=f"{job}[{index}]" if index else job,
            index=index,
            ranks_on=granted,
            ranks=slots if slots is not None else sum(granted.values()) or None,
            nodes=len(granted) or None,
            end=self.end(environment),
        )

    def question(self, job: str) -> tuple[str, ...]:
        """Return the command that prints ``2:05 L``, or ``-`` without a limit."""
        return ("bjobs", "-noheader", "-o", "time_left", job)

    def time_left(self, answer: str, asked: float, ahead: float | None) -> float | None:
        """Return the time left in seconds, infinite without a limit; None if not in the answer.

        It is in hours and minutes, followed by L for the time to the limit, X for the same after the
        estimated run time has passed, or E for the time to the estimate, at which LSF ends nothing.
        """
        answer = answer.strip()
        if answer == _NO_LIMIT:
            return float("inf")
        match = _TIME_LEFT.fullmatch(answer)
        return (int(match[1]) * 60 + int(match[2])) * 60.0 if match else None


def _ranks_on(environment: Mapping[str, str]) -> dict[str, int]:
    """Return the slots on each host: ``hostA 4 hostB 2``."""
    words = environment.get("LSB_MCPU_HOSTS", "").split()
    pairs = (" ".join(words[first : first + 2]) for first in range(0, len(words), 2))
    try:
        return counted("\n".join(pairs), host=0, number=1)
    except ValueError:
        return {}
