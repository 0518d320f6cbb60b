"""An examination told to people, to a program, and as an exit code."""

from collections.abc import Sequence
from typing import Any

from espei_hpc.doctor import mpi
from espei_hpc.doctor.finding import Line, Severity
from espei_hpc.exit_codes import ExitCode


def told(lines: Sequence[Line]) -> list[str]:
    """Return lines for people: state and topic in columns, below them what to do."""
    topics = max((len(line.topic) for line in lines), default=0)
    states = max(map(len, Severity))
    margin = " " * (states + topics + 4)
    result = []
    for line in lines:
        result.append(f"{line.state:<{states}}  {line.topic:<{topics}}  {_one_line(line.seen)}")
        if line.cure:
            result.append(f"{margin}-> {_one_line(line.cure)}")
    return result


def as_json(lines: Sequence[Line]) -> dict[str, Any]:
    """Return the lines and the exit code, as JSON has them."""
    return {
        "exit_code": int(exit_code(lines)),
        "lines": [
            {"topic": line.topic, "state": str(line.state), "seen": line.seen, "cure": line.cure}
            for line in lines
        ],
    }


def exit_code(lines: Sequence[Line]) -> ExitCode:
    """Return 0 without faults (warnings may be there), 69 if no MPI world can be had, 1 for other faults.

    69 means that ranks cannot be started here, or not in one world: another launcher, library or
    node is needed. With 1 there is something on this host to put right.
    """
    faults = {line.topic for line in lines if line.state == Severity.FAULT}
    if mpi.TOPIC in faults:
        return ExitCode.UNAVAILABLE
    return ExitCode.FAILED if faults else ExitCode.OK


def _one_line(text: str) -> str:
    return " ".join(text.split())
