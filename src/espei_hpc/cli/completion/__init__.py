"""Shell completion scripts: click's for espei-hpc, our own for espei-mpi (bash)."""

from typing import Literal

import click
from click.shell_completion import get_completion_class

from espei_hpc.cli.launch import espei_mpi
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
    template = templates("espei_hpc.cli.completion").get_template("espei-mpi.bash.j2")
    return template.render(options=" ".join(options(espei_mpi)))


def options(command: click.Command) -> list[str]:
    """Return the options of a command, without the second name of ``--in``."""
    words = [word for one in command.params if isinstance(one, click.Option) for word in one.opts]
    return [word for word in (*words, "-h", "--help") if word != "--input"]
