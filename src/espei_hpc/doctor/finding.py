"""One line of an examination."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Result of a check."""

    OK = "ok"
    WARNING = "warning"
    """May stop a run, or could not be checked."""
    FAULT = "fault"
    """Stops a run here."""


@dataclass(frozen=True)
class Line:
    """One finding.

    Attributes:
        topic: what was checked, in a word or two.
        state: result of the check.
        seen: what was found.
        cure: what the user can do about it; empty if nothing.
    """

    topic: str
    state: Severity
    seen: str
    cure: str = ""


def ok(topic: str, seen: str) -> Line:
    """Return a line for a check that passed."""
    return Line(topic, Severity.OK, seen)


def warning(topic: str, seen: str, cure: str = "") -> Line:
    """Return a line for something that may stop a run, or is not known."""
    return Line(topic, Severity.WARNING, seen, cure)


def fault(topic: str, seen: str, cure: str) -> Line:
    """Return a line for something that stops a run."""
    return Line(topic, Severity.FAULT, seen, cure)
