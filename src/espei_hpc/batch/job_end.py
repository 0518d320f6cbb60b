"""When a job ends, and what the host hands to a container for it."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from espei_hpc.batch.duration import seconds

HANDED_ANSWER = "ESPEI_HPC_JOB"
"""Variable with the answer to ``question`` on the host, since a container lacks the batch system's commands.

Its first line is the time of the query: seconds since 1970, and the UTC offset of local time (``+0100``).
"""

SINCE = "ESPEI_HPC_SINCE"
"""Variable with the time at which ``espei-mpi`` started, s since 1970."""


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


def from_duration(text: str, known_by: str, environment: Mapping[str, str]) -> JobEnd | None:
    """Return the end of a job from its time left; None if the text is not a duration.

    It counts from the start of the script around this process, if the environment has it (``SINCE``).
    """
    left, since = seconds(text), environment.get(SINCE, "")
    begin = float(since) if since.isascii() and since.isdecimal() else time.time()
    return None if left is None else JobEnd(begin + left, known_by)


def handed_answer(environment: Mapping[str, str]) -> tuple[str, float, float] | None:
    """Return what the host handed over: the answer, the time of the query (s since 1970), its UTC offset (s).

    None if it handed over nothing.
    """
    asked, _, answer = environment.get(HANDED_ANSWER, "").partition("\n")
    match = re.fullmatch(r"(\d+) ([+-])(\d\d)(\d\d)", asked.strip(), re.ASCII)
    if match is None:
        return None
    ahead = (int(match[3]) * 60 + int(match[4])) * 60.0
    return answer, float(match[1]), -ahead if match[2] == "-" else ahead
