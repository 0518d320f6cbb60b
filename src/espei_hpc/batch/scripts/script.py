"""The text of a job script."""

import shlex

from espei_hpc.batch.scripts.job import JobScript
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.text import templates


def render(job: JobScript) -> str:
    """Return the text of a job script.

    Raises:
        Refusal: (USAGE) with all values that cannot be used.
    """
    faults = list(job.faults())
    if faults:
        raise Refusal(ExitCode.USAGE, faults)
    return (
        templates("espei_hpc.batch.scripts")
        .get_template(f"{job.system}.j2")
        .render(job=job, options=_options(job))
    )


def _options(job: JobScript) -> str:
    """Return espei-mpi's other options, each with a leading space."""
    words: list[str] = []
    if job.launcher:
        words += ["--launcher", job.launcher]
    if job.host_mpi:
        words += ["--host-mpi", job.host_mpi]
    if job.user_code:
        words += ["--user-code", job.user_code]
    return "".join(f" {shlex.quote(word)}" for word in words)
