"""The command ``job``: scripts for each batch system."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from espei_hpc.batch import SUBMISSIONS
from espei_hpc.batch.scripts.kinds import KINDS
from espei_hpc.batch.submission import Submission
from espei_hpc.cli.inputs import INPUT, takes_inputs
from espei_hpc.cli.options import user_code_option
from espei_hpc.exit_codes import ExitCode

*_OTHERS, _LAST = (submission.title for submission in SUBMISSIONS.values())


@click.group(
    help=f"""Write a job script for {", ".join(_OTHERS)} or {_LAST}.

    The script is complete; read it and change what you need. --submit submits it.

    Example: espei-hpc job slurm --in x.yaml --kind long-fit --account abc123 >long-fit.sbatch
    """
)
def job() -> None:
    """Write a job script, or look at what jobs did."""


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every batch system has to a command."""
    for option in reversed(
        [
            takes_inputs(
                *("inputs", "INPUT..."),
                "ESPEI's input; several for the kinds array and chain; --in is optional.",
            ),
            click.option(
                "--kind", type=click.Choice(list(KINDS)), default="one-node", show_default=True, help=_kinds()
            ),
            click.option("--image", metavar="X.sif", help="Image [default: this one, else espei.sif]."),
            click.option("--account", help="Account to charge."),
            click.option("--nodes", type=int, help="Number of nodes [default: 1 or 2, by kind]."),
            click.option(
                "--ranks-per-node", type=int, help="Ranks per node [default: its cores; if not known: 32]."
            ),
            click.option("--hours", type=float, help="Walltime in hours [default: 24]."),
            click.option(
                "--site",
                metavar="RECIPE",
                help="Recipe of the cluster, one of host-mpi/sites [default: detected].",
            ),
            user_code_option,
            click.option("--submit", is_flag=True, help="Write the script next to the input and submit it."),
        ]
    ):
        command = option(command)
    return command


def _kinds() -> str:
    return " ".join(f"{name}: {kind.title}" for name, kind in KINDS.items())


def _command(submission: Submission) -> click.Command:
    """Return the command that writes scripts for a batch system."""

    def write(dialect: str = "", **options: Any) -> None:
        _write(submission, dialect, **options)

    command = click.command(submission.system, help=_help(submission))(_options(write))
    if submission.dialects:
        command.params.append(_dialect(submission))
    return command


def _help(submission: Submission) -> str:
    return f"""Write a script for {submission.command}.

    Example: espei-hpc job {submission.system} --in x.yaml --ranks-per-node 32 --hours 24 --submit
    """


def _dialect(submission: Submission) -> click.Option:
    takers = " ".join(f"{dialect}: {systems}." for dialect, systems in submission.dialects.items())
    return click.Option(
        ["--dialect"],
        type=click.Choice(list(submission.dialects)),
        default=next(iter(submission.dialects)),
        show_default=True,
        help=takers,
    )


def _write(submission: Submission, dialect: str, *, submit: bool, **options: Any) -> None:
    from espei_hpc.batch.scripts import filling, submitting
    from espei_hpc.batch.scripts.script import render

    # With --submit, no account means none; in a printed script the user fills in the placeholder.
    account = options.pop("account") or (None if submit else "my-account")
    asked = filling.Asked(submission.system, account=account, dialect=dialect, **options)
    script = filling.file_name(asked, example=not submit)
    filled, notes = filling.fill(asked, script, socket.gethostname(), os.environ)
    text = render(filled)
    for note in notes:
        click.echo(f"espei-hpc: {note}", err=True)
    if not submit:
        click.echo(text, nl=False)
        return
    path = submitting.write(filled, text)
    click.echo(f"espei-hpc: written {path}", err=True)
    click.echo(submitting.submit(filled, path))


@job.command()
@takes_inputs("inputs", "INPUT...", INPUT)
def finished(inputs: tuple[Path, ...]) -> int:
    """List which fits are finished; exit code 0 if all are.

    The job that follows an array of fits runs this.

    Example: espei-hpc job finished x.yaml y.yaml
    """
    from espei_hpc.batch.scripts.finished import look

    looked = [look(path) for path in inputs]
    for _, line in looked:
        click.echo(line)
    number = sum(done for done, _ in looked)
    click.echo(f"{number} of {len(looked)} fits are finished")
    return ExitCode.OK if number == len(looked) else ExitCode.FAILED


for _submission in SUBMISSIONS.values():
    job.add_command(_command(_submission))
