"""The exit codes of every command of this project, as listed in docs/exit-codes.md.

The numbers are those of sysexits.h, so that a batch script can distinguish them
from a child's own codes.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit code of a command; a process killed by signal N has ``SIGNAL_BASE + N``."""

    OK = 0
    """The fit finished."""
    FAILED = 1
    """The fit itself failed (an exception in ESPEI or pycalphad)."""
    USAGE = 64
    """The command line is wrong."""
    BAD_INPUT = 65
    """The input, or a file named in it, is wrong; nothing was started."""
    UNAVAILABLE = 69
    """The cluster did not start or was lost; or the job is too short for one iteration."""
    CANNOT_CREATE = 73
    """A file or directory cannot be written."""
    STOPPED = 75
    """Stopped by a signal, or before the end of the job, with the samples so far saved."""
    CONFIGURATION = 78
    """The launcher, MPI library or network interface cannot work as configured."""
    DEADLINE = 124
    """A timeout expired."""


SIGNAL_BASE = 128
"""Shells report a process killed by signal N with exit code ``SIGNAL_BASE + N``."""
