"""How much of a batch job's time is left."""

import re
import time

from espei_hpc.doctor.line import Line, ok, warning
from espei_hpc.doctor.options import Options
from espei_hpc.doctor.running import found, run

ASK_SECONDS = 8.0
"""A busy batch system answers late."""
SHORT = 600.0
"""Below this a job hardly does more than start and stop."""
TOPIC = "time left"


def time_left(options: Options) -> list[Line]:
    """Tell the time left of the batch job around this process."""
    environment = options.environment
    if job := environment.get("SLURM_JOB_ID"):
        return _told(f"Slurm job {job}", _slurm(options, job), options)
    if job := environment.get("PBS_JOBID"):
        return _told(f"PBS job {job}", _pbs(options, job), options)
    return [ok(TOPIC, "not in a batch job")]


def seconds(text: str) -> float | None:
    """Return a duration as batch systems write it ([days-]hours:minutes:seconds), s; None if it is none."""
    whole = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", text.strip())
    if whole is None:
        return None
    days, hours, minutes, rest = (int(part or 0) for part in whole.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + rest)


def _told(job: str, left: float | None, options: Options) -> list[Line]:
    if left is None:
        # The cheap part asks no batch system, so it has nothing to say.
        return [] if options.cheap else [warning(TOPIC, f"not known: {job} says nothing of its end here")]
    if left == float("inf"):
        return [ok(TOPIC, f"{job} has no limit")]
    seen = f"{max(0, int(left // 60))} min of {job}"
    if left < SHORT:
        return [warning(TOPIC, seen, "ask for more time; a fit that is stopped goes on by the same command")]
    return [ok(TOPIC, seen)]


def _slurm(options: Options, job: str) -> float | None:
    end = options.environment.get("SLURM_JOB_END_TIME", "")
    if end.isdecimal():
        return int(end) - time.time()
    told = _ask(options, "squeue", "--noheader", f"--jobs={job}", "--format=%L").strip()
    return float("inf") if told == "UNLIMITED" else seconds(told)


def _pbs(options: Options, job: str) -> float | None:
    told = dict(
        re.findall(r"(Resource_List|resources_used)\.walltime = ([\d:]+)", _ask(options, "qstat", "-f", job))
    )
    granted = seconds(told.get("Resource_List", ""))
    used = seconds(told.get("resources_used", "0:0"))
    return None if granted is None or used is None else granted - used


def _ask(options: Options, *words: str) -> str:
    """Return what a command of the batch system says; empty if it cannot be asked."""
    if options.cheap or not found(words[0], options.environment):
        return ""
    ended = run(words, ASK_SECONDS, options.environment)
    return ended.output if ended.code == 0 else ""
