"""Whether a job that ends before its fit is finished should be requeued.

A series of jobs that requeue each other ends when the fit is finished or has failed, when a job made
no progress, or after a number of restarts. The run directory keeps the count.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from espei_hpc.batch import job_name
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.record import NAME, Record
from espei_hpc.rundir.run_directory import held
from espei_hpc.text import counted

GOES_ON = (None, ExitCode.STOPPED, ExitCode.UNAVAILABLE)
"""Exit codes after which a fit is restarted: killed, stopped, or cluster lost. A failure would recur."""


@dataclass(frozen=True)
class Decision:
    """Whether to restart the fit.

    Attributes:
        again: whether to restart.
        why: the reason, in one line.
    """

    again: bool
    why: str


def decide(run_directory: Path, times: int) -> Decision:
    """Decide whether to restart a fit; a yes is recorded in the run directory and counted.

    Args:
        run_directory: the fit's run directory.
        times: the maximum number of restarts.

    Raises:
        Refusal: (UNAVAILABLE) if the fit is still running; (BAD_INPUT) if the start of its chain is
            damaged; (CANNOT_CREATE) if its directory is not writable.
    """
    if not (run_directory / NAME).exists():
        return Decision(False, f"no restart: no fit in {run_directory}")
    with held(run_directory, job=job_name(os.environ)) as directory:
        record, state = Record.read(run_directory), directory.store.recover()
        done = state.iteration if state else 0
        if record is None:
            return Decision(False, f"no restart: cannot read {run_directory / NAME}")
        if why := _why_not(record, done, times):
            return Decision(False, f"no restart: {why}")
        new = done - record.again_at
        record = replace(record, again=record.again + 1, again_at=done)
        record.write(directory.path)
    return Decision(
        True, f"restart {record.again} of {times}: {counted(done, 'iteration')} saved, {new} of them new"
    )


def _why_not(record: Record, done: int, times: int) -> str | None:
    if record.finished == done:
        return f"the fit is finished ({counted(done, 'iteration')})"
    if record.ended not in GOES_ON:
        return f"the last start ended with exit code {record.ended}"
    if done <= record.again_at:
        return f"no progress since the last restart; {counted(done, 'iteration')} saved"
    if record.again >= times:
        return f"already restarted {counted(record.again, 'time')}; increase --times to continue"
    return None
