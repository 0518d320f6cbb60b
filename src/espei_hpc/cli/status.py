"""The command ``status``: how far fits are."""

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
@click.option("--json", "as_json", is_flag=True, help="Print it for a program: a list.")
@click.option(
    "--watch",
    is_flag=False,
    flag_value="5",
    metavar="[SECONDS]",
    help="Look again every so many seconds [5], until all runs have ended or Ctrl-C.",
)
def status(runs: tuple[Path, ...], as_json: bool, watch: str | None) -> None:
    """Say how far fits are, and who runs them.

    It also says how to see Dask's pages. It reads files and changes nothing.

    RUN is an input or a run directory; without one it is every *.run here. Of several there is a table.

    Example: espei-hpc status x.yaml
    """
    if as_json and watch is not None:
        raise click.UsageError("--watch is for people, --json for programs: name one of them")
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
        click.echo("espei-hpc: no *.run is here: name an input or a run directory", err=True)
    if faults:
        raise Refusal(ExitCode.BAD_INPUT, faults)


def _seconds(word: str, runs: tuple[Path, ...]) -> tuple[float, tuple[Path, ...]]:
    """Return the seconds between two looks, and the runs: a word that is no number is the first of these."""
    try:
        seconds = float(word)
    except ValueError:
        return 5.0, (Path(word), *runs)
    if not 0.1 <= seconds <= 86_400:
        raise click.BadParameter(f"{word} s: looks are 0.1 s to a day apart", param_hint="--watch")
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
    # An interrupt is a good end here, so it must not end the process by itself (see ``launch``).
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from rich.live import Live

    from espei_hpc.rundir.status.watching import Ending

    ending = Ending()
    live = Live(auto_refresh=False) if sys.stdout.isatty() else None
    try:
        if live:
            live.start()
            live.console.show_cursor(True)  # whoever is killed could not bring it back
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
        return  # who has seen enough says so by Ctrl-C
    finally:
        if live:
            live.stop()


def _show(looked: "Sequence[Status]") -> None:
    """Print it: a table of several, drawn where there is a terminal."""
    from espei_hpc.rundir.status import lines, table

    if len(looked) > 1 and sys.stdout.isatty():
        from rich.console import Console

        Console().print(_drawn(looked))
        return
    told = table(looked) if len(looked) > 1 else [line for one in looked for line in lines(one)]
    for line in told:
        click.echo(line)


def _drawn(looked: "Sequence[Status]") -> "RenderableType":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from espei_hpc.rundir.status import lines
    from espei_hpc.rundir.status.table import COLUMNS, WORDS, cells

    if len(looked) <= 1:
        return Text("\n".join(line for one in looked for line in lines(one)) or "no *.run is here")
    drawn = Table(box=box.SIMPLE_HEAD)
    for title in COLUMNS:
        drawn.add_column(title, justify="left" if title in WORDS else "right", overflow="fold")
    for row in cells(looked):
        drawn.add_row(*map(Text, row))
    return drawn
