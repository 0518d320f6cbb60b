"""Which of several fits are finished: for the job that follows an array of fits."""

from pathlib import Path

from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.record import Record
from espei_hpc.text import counted


def look(input_file: Path) -> tuple[bool, str]:
    """Return whether the fit of an input is finished, and a line about its state."""
    record = Record.read(input_file.resolve().with_suffix(".run"))
    if record is None:
        return False, f"{input_file}: not finished: it was not started, or its input is wrong"
    # A later start, with more iterations, would have another end, or none yet.
    if record.finished is not None and record.ended == ExitCode.OK:
        return True, f"{input_file}: finished, with {counted(record.finished, 'iteration')}"
    if record.ended is None:
        return False, f"{input_file}: not finished: its last start was killed, or is still running"
    return False, f"{input_file}: not finished: its last start ended with exit code {record.ended}"
