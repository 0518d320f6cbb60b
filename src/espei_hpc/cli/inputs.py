"""The input of a command, with or without ``--in``: every command that takes an input accepts both."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
PATH = click.Path(path_type=Path)
INPUT = "ESPEI's input, YAML or JSON; --in is optional."
RUN = "An input or a run directory; --in is optional."


def takes_input(
    name: str = "input_file", metavar: str = "INPUT", text: str = INPUT, *, required: bool = True
) -> Callable[[Command], Command]:
    """Add one input to a command, which receives a path, or None if there is none.

    Args:
        name: name of the command's parameter.
        metavar: name in its help.
        text: help of ``--in``.
        required: whether an input must be given.
    """

    def one(context: click.Context, argument: click.Parameter, words: tuple[Path, ...]) -> Path | None:
        inputs = _inputs(context, argument, words, required=required)
        if len(inputs) > 1:
            raise click.UsageError(f"more than one input: {' and '.join(map(str, inputs))}; name one")
        return inputs[0] if inputs else None

    return _both(name, metavar, text, one)


def takes_inputs(
    name: str, metavar: str, text: str, *, required: bool = True
) -> Callable[[Command], Command]:
    """Add any number of inputs to a command, which receives a tuple of paths; see :func:`takes_input`."""

    def all_of_them(
        context: click.Context, argument: click.Parameter, words: tuple[Path, ...]
    ) -> tuple[Path, ...]:
        return _inputs(context, argument, words, required=required)

    return _both(name, metavar, text, all_of_them)


def _both(name: str, metavar: str, text: str, taken: Callable[..., Any]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        command = click.argument(name, metavar=metavar, nargs=-1, type=PATH, callback=taken)(command)
        option = click.option(
            *("--in", "--input", f"{name}_by_option"),
            type=PATH,
            multiple=True,
            # Parsed before the positional arguments, whose callback joins both.
            is_eager=True,
            expose_value=False,
            callback=_keep,
            help=text,
        )
        return option(command)

    return decorate


def _keep(context: click.Context, _: click.Parameter, inputs: tuple[Path, ...]) -> None:
    context.meta[__name__] = inputs


def _inputs(
    context: click.Context, argument: click.Parameter, words: tuple[Path, ...], *, required: bool
) -> tuple[Path, ...]:
    inputs = (*context.meta[__name__], *words)
    if required and not inputs:
        others = [
            one.make_metavar(context)
            for one in context.command.params
            if isinstance(one, click.Argument) and one is not argument
        ]
        raise click.UsageError(f"name the input: {' '.join([context.command_path, 'x.yaml', *others])}")
    return inputs
