"""A table of several runs, one row for each."""

from collections.abc import Callable, Sequence

from espei_hpc.rundir.figures import duration
from espei_hpc.rundir.status.run import FitState, Status
from espei_hpc.sampler.moves import STRETCH

UNKNOWN = "-"


def _iterations(status: Status) -> str:
    return f"{status.done}/{status.asked}" if status.asked is not None else str(status.done)


def _state(status: Status) -> str:
    state = "cluster" if status.state is FitState.CLUSTER else str(status.state)
    return state if status.sampler == STRETCH else f"{state} ({status.sampler})"


def _percent(status: Status) -> str:
    return f"{status.done / status.asked:.0%}" if status.asked else UNKNOWN


def _written(name: str, form: str) -> Callable[[Status], str]:
    """Return a function that formats one value of ``progress.json``."""

    def shown(status: Status) -> str:
        value = getattr(status.progress, name, None)
        return UNKNOWN if value is None else format(value, form)

    return shown


def _workers(status: Status) -> str:
    return _written("workers", ".0f")(status) if status.state is FitState.SAMPLING else UNKNOWN


def _left(status: Status) -> str:
    left = status.progress.left if status.progress and status.state is FitState.SAMPLING else None
    return UNKNOWN if left is None else duration(left)


def _checkpoint(status: Status) -> str:
    if status.saved_ago is None or not status.saved:
        return UNKNOWN
    return f"{duration(max(0.0, status.saved_ago))} ago"


COLUMNS: dict[str, Callable[[Status], str]] = {
    "run": lambda status: status.run.name,
    "state": _state,
    "iterations": _iterations,
    "%": _percent,
    "best": _written("best", ".2f"),
    "acceptance": _written("acceptance", ".2f"),
    "s/iteration": _written("seconds_per_iteration", ".3g"),
    "left": _left,
    "workers": _workers,
    "checkpoint": _checkpoint,
}
"""The content of each column, by title. ``best`` is the highest log-probability."""
WORDS = ("run", "state")
"""Columns of text, which are left-aligned."""


def cells(statuses: Sequence[Status]) -> list[list[str]]:
    """Return the cells of each run in the order of ``COLUMNS``."""
    return [[tell(status) for tell in COLUMNS.values()] for status in statuses]


def table(statuses: Sequence[Status]) -> list[str]:
    """Return the lines of the table, the titles first."""
    rows = [list(COLUMNS), *cells(statuses)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(_aligned, COLUMNS, row, widths)).rstrip() for row in rows]


def _aligned(title: str, cell: str, width: int) -> str:
    return cell.ljust(width) if title in WORDS else cell.rjust(width)
