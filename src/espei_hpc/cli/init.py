"""The command ``init``: a first project."""

import os
import shlex
from pathlib import Path

import click


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option(
    "--tdb", type=click.Path(path_type=Path), metavar="X.tdb", help="Your database with symbols to fit."
)
@click.option("--datasets", type=click.Path(path_type=Path), metavar="DIR", help="Your datasets.")
def init(directory: Path, tdb: Path | None, datasets: Path | None) -> None:
    """Write a first project: an input and the files it names.

    The files are written to DIRECTORY [default: here]; the input has comments. Without options they are
    the Cu-Mg example, which fits in under a minute. With --tdb and --datasets the input refers to your
    files, which are not copied. Existing files are never overwritten.

    Example: espei-hpc init my-fit --tdb cu-mg.tdb --datasets input-data
    """
    from espei_hpc.inputs.scaffold import INPUT, Own, begin

    if (tdb is None) != (datasets is None):
        raise click.UsageError("--tdb and --datasets belong together: give both, or neither for the example")
    files = begin(directory, Own(tdb, datasets) if tdb and datasets else None)
    names = dict.fromkeys(file.relative_to(directory).parts[0] for file in files)
    click.echo(f"espei-hpc: written to {directory}: {', '.join(names)}")
    click.echo("Next:")
    if os.path.realpath(directory) != os.getcwd():
        click.echo(f"    cd {shlex.quote(str(directory))}")
    for command in ("espei-hpc check", "espei-hpc plan", "espei-mpi"):
        click.echo(f"    {command} --in {INPUT}")
