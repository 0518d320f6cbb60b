"""Parse durations in the formats of batch systems."""

import re

_CLOCK = re.compile(r"(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)(?:\.\d+)?")
_DAYS = re.compile(r"(\d+)-(\d+)")


def seconds(text: str) -> float | None:
    """Return a duration in seconds; None if the text is not a duration.

    ``[[days-]hours:]minutes:seconds`` and ``days-hours`` as Slurm and PBS write them, or a number of seconds.
    """
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    if whole := _CLOCK.fullmatch(text):
        days, hours, minutes, rest = (int(part or 0) for part in whole.groups())
        return float(((days * 24 + hours) * 60 + minutes) * 60 + rest)
    if short := _DAYS.fullmatch(text):
        return float((int(short[1]) * 24 + int(short[2])) * 3600)
    return None
