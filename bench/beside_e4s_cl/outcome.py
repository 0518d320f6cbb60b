"""The outcome of a start, on either side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from beside_e4s_cl.cases import RANKS
from beside_e4s_cl.commands import Ended
from espei_hpc.doctor import probe


@dataclass(frozen=True)
class Start:
    """What was said and what happened.

    Attributes:
        said: beforehand, in words.
        became: what the ranks became.
        code: exit code of the start; None if it did not end.
        binds: files and directories of the host that are bound into the container.
        seconds: from the question to the end, s.
    """

    said: str
    became: str
    code: int | None
    binds: int
    seconds: float


def became(ended: Ended) -> str:
    """Return the outcome of the ranks, by their output."""
    return in_words(probe.reports(ended.output + ended.errors))


def in_words(ranks: Sequence[Mapping[str, Any]]) -> str:
    """Return the outcome of the ranks, by their reports."""
    sizes = [rank["size"] for rank in ranks if "size" in rank]
    if sizes == [RANKS] * RANKS:
        arrived = all(rank.get("message") for rank in ranks)
        return "one world" if arrived else "one world, but the message did not arrive"
    if sizes == [1] * RANKS:
        return f"{RANKS} worlds of 1"
    return "crash"


def count_binds(variable: Ended) -> int:
    """Count what APPTAINER_BIND names, as a container printed it."""
    return len([bind for bind in variable.output.strip().split(",") if bind])
