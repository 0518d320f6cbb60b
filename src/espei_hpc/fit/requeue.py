"""Whether a job that ends before its fit is finished should be requeued.

A series of jobs that requeue each other ends when the fit is finished or has failed, when a job made
no progress, or after a number of restarts. The run directory keeps the count.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from espei_hpc.batch import job_name
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.files import write_best_effort
from espei_hpc.rundir.record import NAME, Record
from espei_hpc.rundir.run_directory import ANSWER, held
from espei_hpc.text import counted

GOES_ON = (None, ExitCode.STOPPED, ExitCode.UNAVAILABLE)
"""Exit codes after which a fit is restarted: killed, stopped, or cluster lost. A failure would recur."""

RESTART = "restart"
"""The first word of a yes, by which job scripts know it."""


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

    If the fit left its answer, that is returned and removed, because it is counted already.

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
        if answer := _taken(run_directory / ANSWER):
            return Decision(answer.startswith(RESTART), answer)
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
        True, f"{RESTART} {record.again} of {times}: {counted(done, 'iteration')} saved, {new} of them new"
    )


def leave_answer(run_directory: Path, times: int, say: Callable[[str], None]) -> None:
    """Decide for the job script, and write the reason to a file, so that bash can read it without the image.

    Nothing is written after a fit that ended with 0, and if the decision is refused; see :func:`decide`.

    Args:
        run_directory: the fit's run directory.
        times: the maximum number of restarts.
        say: prints a line.
    """
    record = Record.read(run_directory)
    if record is None or record.ended == ExitCode.OK:
        return
    with suppress(Refusal):
        decision = decide(run_directory, times)
        write_best_effort(run_directory / ANSWER, f"{decision.why}\n".encode())
        say(decision.why)


def _taken(path: Path) -> str:
    """Return the answer that a fit left, and remove it; empty if it left none."""
    with suppress(OSError):
        answer = path.read_text().strip()
        path.unlink()
        return answer
    return ""


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
