"""The lines of a fit's log, which tell when they were written."""

import time
from typing import TextIO

FORM = "%Y-%m-%d %H:%M:%S"
"""That of Dask's logs and of Slurm's, less fractions: local time, as that of the batch system."""


def dated(line: str, stream: TextIO) -> str:
    """Put date and time before a line; whoever sits before a terminal sees when it comes.

    Args:
        line: without its end.
        stream: where it goes.
    """
    return line if stream.isatty() else f"{time.strftime(FORM)} {line}"
