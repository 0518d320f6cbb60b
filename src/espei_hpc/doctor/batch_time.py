"""How much of a batch job's time is left."""

import time

from espei_hpc import batch
from espei_hpc.doctor.finding import Line, ok, warning
from espei_hpc.doctor.options import Options
from espei_hpc.doctor.running import found, run

ASK_SECONDS = 8.0
"""A busy batch system answers late."""
SHORT = 600.0
"""Below this a job hardly does more than start and stop."""
TOPIC = "time left"


def time_left(options: Options) -> list[Line]:
    """Tell the time left of the batch job around this process."""
    job = batch.allocation(options.environment)
    if job is None:
        return [ok(TOPIC, "not in a batch job")]
    end = job.end or _asked(options, job)
    if end is None:
        # The cheap part asks no batch system, so it has nothing to say.
        return (
            [] if options.cheap else [warning(TOPIC, f"not known: {job.name} says nothing of its end here")]
        )
    if end.at == float("inf"):
        return [ok(TOPIC, f"{job.name} has no limit")]
    seen = f"{max(0, int(end.left // 60))} min of {job.name}"
    if end.left < SHORT:
        return [warning(TOPIC, seen, "ask for more time; a fit that is stopped goes on by the same command")]
    return [ok(TOPIC, seen)]


def _asked(options: Options, job: batch.Allocation) -> batch.JobEnd | None:
    """Return the end as a command of the batch system tells it; None if it cannot be asked."""
    words = job.question
    if options.cheap or not words or not found(words[0], options.environment):
        return None
    asked = time.time()
    ended = run(words, ASK_SECONDS, options.environment)
    return batch.from_answer(ended.output, asked) if ended.code == 0 else None
