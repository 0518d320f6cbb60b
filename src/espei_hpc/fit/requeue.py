"""Whether a job that ends before its fit is finished should start it again.

A series of jobs that start each other ends by itself: with the fit, with a failure, with a job in
which nothing was done, and after a number of times. The run directory keeps the count.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.record import NAME, Record
from espei_hpc.rundir.run_directory import held
from espei_hpc.text import counted

GOES_ON = (None, ExitCode.STOPPED, ExitCode.UNAVAILABLE)
"""How a start may have ended: killed, stopped, or its cluster lost. What failed would fail again."""


@dataclass(frozen=True)
class Decision:
    """Whether to start again.

    Attributes:
        again: whether.
        why: in one line.
    """

    again: bool
    why: str


def decide(run_directory: Path, times: int) -> Decision:
    """Decide whether to start a fit again; a yes is written down, and counts.

    Args:
        run_directory: of the fit.
        times: how often a yes is given in all.

    Raises:
        Refusal: (UNAVAILABLE) if the fit is still running; (BAD_INPUT) if the beginning of its chain is
            damaged; (CANNOT_CREATE) if its directory cannot be written.
    """
    if not (run_directory / NAME).exists():
        return Decision(False, f"not again: {run_directory} holds no fit")
    with held(run_directory) as directory:
        record, state = Record.read(run_directory), directory.store.recover()
        done = state.iteration if state else 0
        if record is None:
            return Decision(False, f"not again: {run_directory / NAME} cannot be read")
        if why := _why_not(record, done, times):
            return Decision(False, f"not again: {why}")
        new = done - record.again_at
        record = replace(record, again=record.again + 1, again_at=done)
        record.write(directory.path)
    return Decision(
        True, f"again, {record.again} of {times} times: {counted(done, 'iteration')} saved, {new} of them new"
    )


def _why_not(record: Record, done: int, times: int) -> str | None:
    if record.finished == done:
        return f"the fit is finished, with {counted(done, 'iteration')}"
    if record.ended not in GOES_ON:
        return f"its last start ended with exit code {record.ended}"
    if done <= record.again_at:
        return f"no iteration was done since the last time; {done} are saved"
    if record.again >= times:
        return f"it was started again {counted(record.again, 'time')} already; more --times make it go on"
    return None
