"""Lines for users: refusals, mistakes in a command line, progress."""

import errno
import os
from collections.abc import Callable

import click

from espei_hpc.cli import pages
from espei_hpc.containers import option_to_write
from espei_hpc.errors import Refusal


def show_usage_error(error: click.ClickException) -> None:
    """Print what is wrong with the command line, prefixed with the program that the user called."""
    if program := os.environ.get("ESPEI_HPC_PROGRAM"):
        # Click's usage line would show the internal command that the script calls.
        click.echo(f"{program}: {error.format_message().rstrip('.')} ({program} --help)", err=True)
    else:
        error.show()


def refused(refusal: Refusal, written: Callable[[str], str] = str) -> int:
    """Print a refusal and the help page about it; return the exit code."""
    show(refusal, written)
    if _denied(refusal) and (option := option_to_write(os.environ)):
        click.echo(
            written(f"espei-hpc: the container's user {os.getuid()} may not write there: add {option}"),
            err=True,
        )
    if topic := pages.about(refusal):
        click.echo(f"espei-hpc: more: {pages.command(topic, os.environ)}", err=True)
    return refusal.code


def _denied(refusal: Refusal) -> bool:
    return any(os.strerror(errno.EACCES) in str(fault) for fault in refusal.faults)


def show(refusal: Refusal, written: Callable[[str], str] = str) -> None:
    """Print a refusal, one line per fault, each formatted by ``written``."""
    for fault in refusal.faults:
        click.echo(written(f"espei-hpc: {fault}"), err=True)
    for line in refusal.details:
        click.echo(f"    {line}", err=True)


def say(line: str) -> None:
    """Print a line of progress."""
    click.echo(f"espei-hpc: {line}")


def say_aside(line: str) -> None:
    """Print a line to standard error, where standard output is for programs."""
    click.echo(f"espei-hpc: {line}", err=True)
