"""Output of an examination: text, JSON and exit code."""

from collections.abc import Sequence
from typing import Any

from espei_hpc.doctor import mpi
from espei_hpc.doctor.finding import Line, Severity
from espei_hpc.exit_codes import ExitCode


def as_text(lines: Sequence[Line]) -> list[str]:
    """Return the text output: state and topic in columns, the cure below."""
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
    """Return the lines and the exit code for JSON."""
    return {
        "exit_code": int(exit_code(lines)),
        "lines": [
            {"topic": line.topic, "state": str(line.state), "seen": line.seen, "cure": line.cure}
            for line in lines
        ],
    }


def exit_code(lines: Sequence[Line]) -> ExitCode:
    """Return 0 without faults (warnings are allowed), 69 if there is no MPI world, 1 for other faults.

    69 means that ranks cannot be started here, or not in one world: use another launcher, library or
    node. 1 means that something on this host has to be fixed.
    """
    faults = {line.topic for line in lines if line.state == Severity.FAULT}
    if mpi.TOPIC in faults:
        return ExitCode.UNAVAILABLE
    return ExitCode.FAILED if faults else ExitCode.OK


def _one_line(text: str) -> str:
    return " ".join(text.split())
