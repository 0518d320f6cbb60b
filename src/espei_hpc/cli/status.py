"""The command ``status``: progress of fits."""

import dataclasses
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from espei_hpc.cli.inputs import RUN, takes_inputs
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode

if TYPE_CHECKING:
    from rich.console import RenderableType

    from espei_hpc.rundir.status import Status


@click.command()
@takes_inputs("runs", "[RUN]...", RUN, required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list.")
@click.option(
    "--watch",
    is_flag=False,
    flag_value="5",
    metavar="[SECONDS]",
    help="Repeat every SECONDS [5] until all runs have ended or Ctrl-C.",
)
def status(runs: tuple[Path, ...], as_json: bool, watch: str | None) -> None:
    """Show the progress of fits and where they run.

    Also show how to open Dask's pages. Only reads files.

    RUN is an input or a run directory [default: every *.run here]. Several runs are shown as a table.

    Example: espei-hpc status x.yaml
    """
    if as_json and watch is not None:
        raise click.UsageError("--watch and --json exclude each other: give only one of them")
    if watch is not None:
        seconds, runs = _seconds(watch, runs)
        _watch(runs, seconds)
        return
    looked, faults = _look(runs)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(one) for one in looked], default=str))
    else:
        _show(looked)
    if not runs and not looked and not faults:
        click.echo("espei-hpc: no *.run in this directory: name an input or a run directory", err=True)
    if faults:
        raise Refusal(ExitCode.BAD_INPUT, faults)


def _seconds(word: str, runs: tuple[Path, ...]) -> tuple[float, tuple[Path, ...]]:
    """Return the interval in seconds and the runs: a word that is not a number is the first run."""
    try:
        seconds = float(word)
    except ValueError:
        return 5.0, (Path(word), *runs)
    if not 0.1 <= seconds <= 86_400:
        raise click.BadParameter(f"{word} s is not between 0.1 s and one day", param_hint="--watch")
    return seconds, runs


def _look(runs: Sequence[Path]) -> "tuple[list[Status], list[Fault]]":
    from espei_hpc.rundir import status as looking

    found, faults = looking.find(runs)
    looked = []
    for run in found:
        try:
            looked.append(looking.look(run))
        except Refusal as refusal:
            faults += refusal.faults
    return looked, faults


def _watch(runs: Sequence[Path], seconds: float) -> None:
    # Ctrl-C is the normal end here, so it must not end the process by itself (see ``launch``).
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from rich.live import Live

    from espei_hpc.rundir.status.watching import Ending

    ending = Ending()
    live = Live(auto_refresh=False) if sys.stdout.isatty() else None
    try:
        if live:
            live.start()
            live.console.show_cursor(True)  # a killed process could not restore it
        while True:
            looked, faults = _look(runs)
            if faults:
                raise Refusal(ExitCode.BAD_INPUT, faults)
            if live:
                live.update(_drawn(looked), refresh=True)
            else:
                _show(looked)
            if ending.reached(looked, time.monotonic()):
                return
            time.sleep(seconds)
    except KeyboardInterrupt:
        return
    finally:
        if live:
            live.stop()


def _show(looked: "Sequence[Status]") -> None:
    """Print the lines of one run or a table of several, drawn with rich on a terminal."""
    from espei_hpc.rundir.status import lines, table

    if len(looked) > 1 and sys.stdout.isatty():
        from rich.console import Console

        Console().print(_drawn(looked))
        return
    shown = table(looked) if len(looked) > 1 else [line for one in looked for line in lines(one)]
    for line in shown:
        click.echo(line)


def _drawn(looked: "Sequence[Status]") -> "RenderableType":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from espei_hpc.rundir.status import lines
    from espei_hpc.rundir.status.table import COLUMNS, WORDS, cells

    if len(looked) <= 1:
        return Text("\n".join(line for one in looked for line in lines(one)) or "no *.run in this directory")
    drawn = Table(box=box.SIMPLE_HEAD)
    for title in COLUMNS:
        drawn.add_column(title, justify="left" if title in WORDS else "right", overflow="fold")
    for row in cells(looked):
        drawn.add_row(*map(Text, row))
    return drawn
