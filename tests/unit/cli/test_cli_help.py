"""Every command says by an example how it is called, and the example is right."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator

import click
import pytest

from espei_hpc.cli import commands
from support import BIN, ROOT

OPERATORS = (")", "&&", "||", ";", "|", "&", ">", "<", ">>")
ENTRYPOINTS = sorted(path.name for path in (ROOT / "entrypoints").iterdir())


def _visible(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for word, below in command.commands.items():
            if not below.hidden:
                yield from _visible(below, f"{name} {word}")


VISIBLE = dict(_visible(commands, "espei-hpc"))


def _examples(command: click.Command) -> list[str]:
    return re.findall(r"^\s*Example: (.*)$", command.help or "", re.MULTILINE)


def _words(line: str) -> list[str]:
    """Return the words of the first command of a shell's line, from espei-hpc on."""
    parser = shlex.shlex(line, posix=True, punctuation_chars=True)
    parser.whitespace_split = True
    words = list(parser)
    end = next((place for place, word in enumerate(words) if word in OPERATORS), len(words))
    return words[words.index("espei-hpc") : end]


def _parse(words: list[str]) -> str:
    """Parse a command line as far as to the command it calls, and return that; nothing is run."""
    command: click.Command = commands
    name, *rest = words
    context = click.Context(command, info_name=name)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        word, *rest = rest
        below = command.get_command(context, word)
        assert below, f"there is no {word}"
        command, name = below, f"{name} {word}"
        context = click.Context(command, parent=context, info_name=word)
    command.make_context(name, rest, parent=context.parent)
    return name


@pytest.mark.parametrize("name", VISIBLE)
def test_help_has_an_example_of_the_command_itself(name: str) -> None:
    examples = [line for line in _examples(VISIBLE[name]) if "espei-hpc " in line]
    assert examples, f"{name} --help has no Example:"
    assert any(" ".join(_words(line)).startswith(f"{name} ") for line in examples)


@pytest.mark.parametrize("name", VISIBLE)
def test_example_parses(name: str) -> None:
    for line in _examples(VISIBLE[name]):
        if "espei-hpc " in line:
            assert _parse(_words(line)).startswith(name)


@pytest.mark.parametrize(
    "name", [name for name, command in VISIBLE.items() if isinstance(command, click.Group)]
)
def test_help_of_a_group_describes_each_command_whole_in_80_columns(name: str) -> None:
    helped = subprocess.run(
        [BIN / name.split()[0], *name.split()[1:], "--help"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"COLUMNS": "80"},
    )
    lines = helped.stdout.partition("Commands:\n")[2].splitlines()
    assert len(lines) == sum(len(each.split()) == len(name.split()) + 1 for each in VISIBLE if name in each)
    assert not [line for line in lines if line.endswith(("...", "…")) or len(line) > 80]


def test_parsing_an_example_finds_what_is_wrong() -> None:
    with pytest.raises(click.UsageError):
        _parse(["espei-hpc", "job", "slurm", "--kind", "none"])


@pytest.mark.parametrize("name", ENTRYPOINTS)
def test_entrypoint_has_an_example_of_itself(name: str) -> None:
    helped = subprocess.run([BIN / name, "--help"], capture_output=True, text=True, check=True)
    assert re.search(rf"Examples?:\s(.*\n)*?.*\b{name} .*", helped.stdout), helped.stdout
    assert not helped.stderr


def test_hidden_commands_are_those_that_our_own_programs_call() -> None:
    hidden = {name for name, command in commands.commands.items() if command.hidden}
    assert hidden == {"launch", "launcher-ended", "prepare", "probe", "rank"}
