"""The commands ``completion`` and ``help``."""

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from espei_hpc.cli.completion import Shell


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: "Shell") -> None:
    """Print a shell completion script.

    It completes espei-hpc and, in bash, also espei-mpi.

    To install it for bash, which loads it by the name of the command:

    \b
        place=~/.local/share/bash-completion/completions
        mkdir -p $place
        espei-hpc completion bash >$place/espei-hpc
        ln -s espei-hpc $place/espei-mpi

    For zsh (with ~/.zfunc in fpath) and for fish:

    \b
        espei-hpc completion zsh >~/.zfunc/_espei-hpc
        espei-hpc completion fish >~/.config/fish/completions/espei-hpc.fish

    Example: source <(espei-hpc completion bash)
    """  # noqa: D301 (click's mark for lines that are not rewrapped)
    from espei_hpc.cli import completion as completing

    click.echo(completing.script(shell, context.find_root().command))


@click.command("help")
@click.argument("topic", required=False)
def help_page(topic: str | None) -> None:
    """Print a page of the documentation, or list the pages.

    Without TOPIC the pages are listed.

    Example: espei-hpc help host-mpi
    """
    from espei_hpc.cli import pages

    if topic is None:
        for name, title in pages.topics().items():
            click.echo(f"{name:<18}{title}")
    elif sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(pages.page(topic)))
    else:
        click.echo(pages.page(topic))
