"""The commands that help with the others: ``completion`` and ``help``."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from espei_hpc.completion import Shell


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: "Shell") -> None:
    """Print the script that has a shell complete espei-hpc, and bash espei-mpi too.

    To install it for bash, where it is loaded by the name of the command:

    \b
        place=~/.local/share/bash-completion/completions
        mkdir -p $place
        espei-hpc completion bash >$place/espei-hpc
        ln -s espei-hpc $place/espei-mpi

    For zsh, with ~/.zfunc in its fpath, and for fish:

    \b
        espei-hpc completion zsh >~/.zfunc/_espei-hpc
        espei-hpc completion fish >~/.config/fish/completions/espei-hpc.fish

    Example: source <(espei-hpc completion bash)
    """  # noqa: D301 (click's mark for lines to be left as they are)
    from espei_hpc import completion as completing

    click.echo(completing.script(shell, context.find_root().command))
