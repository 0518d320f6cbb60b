"""Comparing the fingerprints of a run: when it began, and now."""

import re
from collections.abc import Mapping

SHORT = 40
"""Longer values are not shown."""
_DIGEST = re.compile(r"[0-9a-f]{16,}")


def compare(recorded: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """List the changes between two fingerprints.

    Args:
        recorded: digest or short value by name (``dataset datasets/a.json``, ``espei``,
            ``setting mcmc.prior``), when the run began.
        now: the same, now.

    Returns:
        One line for each name added, removed or changed: in the order of ``recorded``, then of ``now``.
    """
    names = [*recorded, *(name for name in now if name not in recorded)]
    return [
        _change(name, recorded.get(name), now.get(name))
        for name in names
        if recorded.get(name) != now.get(name)
    ]


def _change(name: str, before: str | None, after: str | None) -> str:
    if before is None:
        return f"{name} is new{_in_brackets(after)}"
    if after is None:
        return f"{name} is gone{_in_brackets(before)}"
    if _shown(before) and _shown(after):
        return f"{name} {before} -> {after}"
    return f"{name} has changed"


def _in_brackets(value: str | None) -> str:
    return f" ({value})" if value is not None and _shown(value) else ""


def _shown(value: str) -> bool:
    """Whether a value is useful to a reader."""
    return 0 < len(value) <= SHORT and not _DIGEST.fullmatch(value)
