"""One line of an examination."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
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
    state: State
    seen: str
    cure: str = ""


def ok(topic: str, seen: str) -> Line:
    """Say that something is as it should be."""
    return Line(topic, State.OK, seen)


def warning(topic: str, seen: str, cure: str = "") -> Line:
    """Say that something may hinder a run, or is not known."""
    return Line(topic, State.WARNING, seen, cure)


def fault(topic: str, seen: str, cure: str) -> Line:
    """Say that something hinders a run."""
    return Line(topic, State.FAULT, seen, cure)
