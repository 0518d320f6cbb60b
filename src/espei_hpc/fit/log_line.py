"""Lines of a fit's log, with date and time."""

import time
from typing import TextIO

FORM = "%Y-%m-%d %H:%M:%S"
"""As in the logs of Dask and Slurm, without fractions: local time, as the batch system shows it."""


def dated(line: str, stream: TextIO) -> str:
    """Prefix a line with date and time, unless it goes to a terminal.

    Args:
        line: the line, without newline.
        stream: the stream that it is written to.
    """
    return line if stream.isatty() else f"{time.strftime(FORM)} {line}"
