"""Every command that takes an input takes it by ``--in``, as ESPEI does, and without."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from espei_hpc.batch import SUBMISSIONS
from espei_hpc.cli import commands

INPUTS = ("INPUT", "INPUT...", "RUN", "[RUN]...")
"""How the help of a command calls what it is about."""


def _all(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for word, below in command.commands.items():
            yield from _all(below, f"{name} {word}")


def _with_option(command: click.Command) -> bool:
    return any("--in" in parameter.opts for parameter in command.params)


def _with_word(command: click.Command) -> bool:
    return any(parameter.metavar in INPUTS for parameter in command.params)


ALL = dict(_all(commands, "espei-hpc"))
TAKE_INPUTS = {name: command for name, command in ALL.items() if _with_option(command) or _with_word(command)}


def _taken(name: str, *words: str) -> object:
    """Return what a command gets for its input."""
    command = TAKE_INPUTS[name]
    context = command.make_context(name, list(words))
    return next(context.params[one.name] for one in command.params if one.metavar in INPUTS and one.name)


def test_commands_that_take_an_input_are_all_that_have_one() -> None:
    assert {name.removeprefix("espei-hpc ") for name in TAKE_INPUTS} == {
        *("check", "plan", "prepare", "fit", "optimize", "again", "report", "export", "status"),
        *("job finished", *(f"job {system}" for system in SUBMISSIONS)),
    }


@pytest.mark.parametrize("name", TAKE_INPUTS)
def test_input_is_taken_with_its_option_and_without(name: str) -> None:
    more = ["chain.nc"] if name.endswith("export") else []
    taken = _taken(name, "x.yaml", *more)
    assert taken in (Path("x.yaml"), (Path("x.yaml"),))
    assert _taken(name, "--in", "x.yaml", *more) == taken
    assert _taken(name, *more, "--input", "x.yaml") == taken


def test_export_tells_its_input_from_its_file() -> None:
    export = TAKE_INPUTS["espei-hpc export"]
    for words in (["x.yaml", "chain.nc"], ["--in", "x.yaml", "chain.nc"], ["chain.nc", "--in", "x.yaml"]):
        assert export.make_context("export", words).params == {
            "run": Path("x.yaml"),
            "file": Path("chain.nc"),
        }


@pytest.mark.parametrize("name", sorted(TAKE_INPUTS.keys() - {"espei-hpc prepare", "espei-hpc status"}))
def test_missing_input_is_told_with_what_to_write(name: str) -> None:
    more = ["chain.nc"] if name.endswith("export") else []
    with pytest.raises(click.UsageError, match=f"name the input: {name} x.yaml"):
        TAKE_INPUTS[name].make_context(name, more)


def test_second_input_of_a_command_that_takes_one_is_refused() -> None:
    with pytest.raises(click.UsageError, match=r"more than one input: x\.yaml and y\.yaml"):
        _taken("espei-hpc check", "--in", "x.yaml", "y.yaml")


def test_command_that_takes_several_takes_them_in_both_ways_at_once() -> None:
    assert _taken("espei-hpc status", "--in", "x.yaml", "y.yaml") == (Path("x.yaml"), Path("y.yaml"))
