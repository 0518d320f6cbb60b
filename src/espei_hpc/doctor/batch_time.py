"""The time left of a batch job."""

import time

from espei_hpc import batch
from espei_hpc.doctor.finding import Line, ok, warning
from espei_hpc.doctor.options import Options
from espei_hpc.doctor.running import found, run

ASK_SECONDS = 8.0
"""Timeout; a busy batch system answers late."""
SHORT = 600.0
"""With less time than this, a job does little more than start and stop."""
TOPIC = "time left"


def time_left(options: Options) -> list[Line]:
    """Report the time left of the batch job around this process."""
    job = batch.allocation(options.environment)
    if job is None:
        return [ok(TOPIC, "not in a batch job")]
    end = job.end or _asked(options, job)
    if end is None:
        # The cheap checks do not query the batch system, so an unknown end is no finding.
        return [] if options.cheap else [warning(TOPIC, f"not known: no end time found for {job.name}")]
    if end.at == float("inf"):
        return [ok(TOPIC, f"{job.name} has no time limit")]
    seen = f"{max(0, int(end.left // 60))} min of {job.name}"
    if end.left < SHORT:
        return [warning(TOPIC, seen, "request more walltime; a stopped fit resumes with the same command")]
    return [ok(TOPIC, seen)]


def _asked(options: Options, job: batch.Allocation) -> batch.JobEnd | None:
    """Return the end that a command of the batch system reports; None if it cannot be queried."""
    words = job.question
    if options.cheap or not words or not found(words[0], options.environment):
        return None
    asked = time.time()
    ended = run(words, ASK_SECONDS, options.environment)
    return job.answered(ended.output, asked) if ended.code == 0 else None
