"""The commands that read a chain: ``report`` and ``export``."""

from contextlib import suppress
from pathlib import Path

import click

from espei_hpc import user_code
from espei_hpc.cli.inputs import RUN, takes_input
from espei_hpc.errors import Refusal


@click.command()
@takes_input("run", "RUN", RUN)
@click.option(
    "--symbols", metavar="A,B,…", default="", help="Symbols in the corner plot [default: the six slowest]."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Directory of the report [default: report in the run directory].",
)
@click.option(
    "--diagrams",
    type=click.IntRange(0),
    metavar="N",
    help="Draw the binary phase diagrams of N samples, some seconds each [default: 20 if the chain has as "
    "many effective samples, else none].",
)
def report(run: Path, symbols: str, output: Path | None, diagrams: int | None) -> None:
    """Write a page that shows whether a fit has converged.

    The page has plots of traces and distributions, and the phase diagram with its uncertainty. RUN is an
    input or a run directory; the fit may be running. For a search for the best fit, NAME.optimum.run, it
    prints the tables.

    Example: espei-hpc report x.yaml --symbols VV0001,VV0004
    """
    from espei_hpc.report import caches, optimum

    caches.ensure()
    from espei_hpc.report import samples, write

    if optimum.there(run):
        for line in optimum.lines(run):
            click.echo(line)
        return

    read = samples.read(run)
    if code := read.record.user_code:
        # Without it the report lacks only what is calculated, and says so.
        with suppress(Refusal):
            user_code.use(Path(code))
    chosen = [symbol.strip() for symbol in symbols.split(",") if symbol.strip()]
    notes: list[str] = []
    made = write.write(read, output or read.run.directory / "report", chosen, notes.append, diagrams, _say)
    # The verdict comes first, before notes on what the page lacks.
    _say(f"{read.run.name}: {made.verdict.in_short(read.iterations)}")
    slowest = [f"{made.slowest}."] if made.slowest else []
    for sentence in [*made.verdict.reasons, *slowest]:
        click.echo(f"    {sentence}")
    for note in notes:
        _say(note)
    _say(f"written          {made.page}")


@click.command()
@takes_input("run", "RUN", RUN)
@click.argument("file", type=click.Path(path_type=Path))
def export(run: Path, file: Path) -> None:
    """Write the chain of a fit as netCDF for other programs.

    The format is ArviZ' InferenceData. RUN is an input or a run directory; the fit may be running.

    Example: espei-hpc export x.yaml chain.nc
    """
    from espei_hpc.report import caches

    caches.ensure()
    from espei_hpc.report import export as exporting
    from espei_hpc.report import samples

    read = samples.read(run)
    exporting.export(read, file)
    _say(f"written          {file}")


def _say(line: str) -> None:
    click.echo(f"espei-hpc: {line}")
