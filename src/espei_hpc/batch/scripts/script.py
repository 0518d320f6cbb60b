"""The text of a job script."""

import shlex

import jinja2

from espei_hpc.batch.scripts.job import JobScript, walltime
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode


def render(job: JobScript) -> str:
    """Return the text of a job script.

    Raises:
        Refusal: (USAGE) with all that it cannot be filled with.
    """
    faults = list(job.faults())
    if faults:
        raise Refusal(ExitCode.USAGE, faults)
    return (
        _environment()
        .get_template(f"{job.system}.j2")
        .render(
            job=job,
            title=job.of_kind.title,
            submit=shlex.join(job.submit),
            walltime=walltime(job.hours),
            options=_options(job),
        )
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("espei_hpc.batch.scripts"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # In bash, ${#names[@]} is a number of names.
        comment_start_string="<##",
        comment_end_string="##>",
        # Bash is no HTML; what needs it goes through quote.
        autoescape=False,  # noqa: S701
    )
    environment.filters["quote"] = shlex.quote
    return environment


def _options(job: JobScript) -> str:
    """Return espei-mpi's further options, with a space before each."""
    words: list[str] = []
    if job.launcher:
        words += ["--launcher", job.launcher]
    if job.host_mpi:
        words += ["--host-mpi", job.host_mpi]
    return "".join(f" {shlex.quote(word)}" for word in words)
