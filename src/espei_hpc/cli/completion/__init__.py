"""Shell completion scripts: click's for espei-hpc, our own for espei-mpi (bash)."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

import click
from click.shell_completion import get_completion_class

from espei_hpc.text import templates

Shell = Literal["bash", "zsh", "fish"]


def script(shell: Shell, command: click.Command) -> str:
    """Return the completion script for a shell to source.

    Args:
        shell: the shell.
        command: ``espei-hpc``, which the script calls for the candidates.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise ValueError(f"click completes for no {shell}")
    text = kind(command, {}, "espei-hpc", "_ESPEI_HPC_COMPLETE").source()
    return text + _for_espei_mpi() if shell == "bash" else text


def _for_espei_mpi() -> str:
    # It may not be on PATH, but is in the same directory as this Python.
    program = Path(sys.executable).with_name("espei-mpi")
    told = subprocess.run([program, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return (
        templates("espei_hpc.cli.completion")
        .get_template("espei-mpi.bash.j2")
        .render(options=" ".join(options(told)))
    )


def options(told: str) -> list[str]:
    """Return the options in espei-mpi's ``--help``: one per line, and --in from the usage line."""
    listed = re.findall(r"^ +(-\w|--[\w-]+)(?:, (--[\w-]+))?", told, re.MULTILINE)
    return ["--in", *(name for names in listed for name in names if name)]
