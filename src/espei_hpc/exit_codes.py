"""The exit codes of every command of this project, as listed in docs/exit-codes.md.

The numbers are those of sysexits.h, so that a batch script can tell them apart
from a child's own codes.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit code of a command; a process ended by signal N counts as ``SIGNAL_BASE + N``."""

    OK = 0
    """The fit finished."""
    FAILED = 1
    """The fit failed on its own (an exception in ESPEI or pycalphad)."""
    USAGE = 64
    """The command line is wrong."""
    BAD_INPUT = 65
    """The input, or a file it names, is wrong; nothing was started."""
    UNAVAILABLE = 69
    """The cluster could not be started, or was lost; or the job is too short for one iteration."""
    CANNOT_CREATE = 73
    """A file or directory cannot be written."""
    STOPPED = 75
    """Stopped by a signal, or in time before the job's end, with the samples so far saved."""
    CONFIGURATION = 78
    """The launcher, MPI library or network interface cannot work as configured."""
    DEADLINE = 124
    """A deadline passed."""


SIGNAL_BASE = 128
"""A process ended by signal N exits with ``SIGNAL_BASE + N``, as shells report it."""
