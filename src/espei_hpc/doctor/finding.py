"""One line of an examination."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How something looks."""

    OK = "ok"
    WARNING = "warning"
    """May hinder a run, or could not be looked at."""
    FAULT = "fault"
    """Hinders a run here."""


@dataclass(frozen=True)
class Line:
    """What was seen of one thing.

    Attributes:
        topic: what was looked at, in a word or two.
        state: how it looks.
        seen: what was seen.
        cure: what the user can do about it; empty where there is nothing to do.
    """

    topic: str
    state: Severity
    seen: str
    cure: str = ""


def ok(topic: str, seen: str) -> Line:
    """Say that something is as it should be."""
    return Line(topic, Severity.OK, seen)


def warning(topic: str, seen: str, cure: str = "") -> Line:
    """Say that something may hinder a run, or is not known."""
    return Line(topic, Severity.WARNING, seen, cure)


def fault(topic: str, seen: str, cure: str) -> Line:
    """Say that something hinders a run."""
    return Line(topic, Severity.FAULT, seen, cure)
