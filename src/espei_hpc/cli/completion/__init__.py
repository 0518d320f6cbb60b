"""Scripts that have a shell complete our commands: click's for espei-hpc, our own for espei-mpi (bash)."""

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
    """Return the script that a shell sources.

    Args:
        shell: which.
        command: ``espei-hpc``, which is called for what may follow a word.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise ValueError(f"click completes for no {shell}")
    text = kind(command, {}, "espei-hpc", "_ESPEI_HPC_COMPLETE").source()
    return text + _for_espei_mpi() if shell == "bash" else text


def _for_espei_mpi() -> str:
    # It need not be on PATH, but lies beside this Python.
    program = Path(sys.executable).with_name("espei-mpi")
    told = subprocess.run([program, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return (
        templates("espei_hpc.cli.completion")
        .get_template("espei-mpi.bash.j2")
        .render(options=" ".join(options(told)))
    )


def options(told: str) -> list[str]:
    """Return the options that espei-mpi's ``--help`` has: a line each, and --in in its first line."""
    listed = re.findall(r"^ +(-\w|--[\w-]+)(?:, (--[\w-]+))?", told, re.MULTILINE)
    return ["--in", *(name for names in listed for name in names if name)]
