"""The command ``job``: scripts for Slurm and PBS."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from espei_hpc.batch.scripts.kinds import KINDS
from espei_hpc.cli.inputs import INPUT, takes_inputs
from espei_hpc.exit_codes import ExitCode

if TYPE_CHECKING:
    from espei_hpc.batch.scripts.job import Dialect, System


@click.group()
def job() -> None:
    """Write a job script for Slurm or PBS.

    The script is complete; read it and change what you need. --submit submits it.

    Example: espei-hpc job slurm --in x.yaml --kind long-fit --account abc123 >long-fit.sbatch
    """


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
            click.option("--submit", is_flag=True, help="Write the script next to the input and submit it."),
        ]
    ):
        command = option(command)
    return command


def _kinds() -> str:
    return " ".join(f"{name}: {kind.title}" for name, kind in KINDS.items())


@job.command()
@_options
def slurm(**options: Any) -> None:
    """Write a script for sbatch.

    Example: espei-hpc job slurm --in x.yaml --ranks-per-node 32 --hours 24 --submit
    """
    _write("slurm", "select", **options)


@job.command()
@_options
@click.option(
    "--dialect",
    type=click.Choice(["select", "nodes"]),
    default="select",
    show_default=True,
    help="select: PBS Pro and OpenPBS. nodes: Torque.",
)
def pbs(dialect: "Dialect", **options: Any) -> None:
    """Write a script for qsub.

    Example: espei-hpc job pbs --in x.yaml --kind long-fit --account abc123 >long-fit.pbs
    """
    _write("pbs", dialect, **options)


def _write(system: "System", dialect: "Dialect", *, submit: bool, **options: Any) -> None:
    from espei_hpc.batch.scripts import filling, submitting
    from espei_hpc.batch.scripts.script import render

    # With --submit, no account means none; in a printed script the user fills in the placeholder.
    account = options.pop("account") or (None if submit else "my-account")
    asked = filling.Asked(system, account=account, dialect=dialect, **options)
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
