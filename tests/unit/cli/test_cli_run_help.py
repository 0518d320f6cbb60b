"""`apptainer run-help` says only what is true."""

import re

import click
import pytest

from espei_hpc.cli import commands
from espei_hpc.exit_codes import SIGNAL_BASE, ExitCode
from support import ROOT

HELP = (ROOT / "image/help").read_text()
SECTIONS = dict(re.findall(r"^([A-Z ]+)\n((?:\n| {4}.*\n)+)", HELP, re.MULTILINE))
ENTRYPOINTS = {path.name for path in (ROOT / "entrypoints").iterdir()}
COMMANDS = re.findall(r"^ {4}(\S+(?: \S+)*) {2,}\S", SECTIONS["COMMANDS"], re.MULTILINE)


def test_it_has_the_sections_of_a_manual_page() -> None:
    assert list(SECTIONS) == [
        *("NAME", "SYNOPSIS", "COMMANDS", "EXAMPLES", "ENVIRONMENT", "EXIT CODES", "FILES", "SEE ALSO"),
    ]


def test_exit_codes_are_those_of_the_code() -> None:
    told = re.findall(r"^ {4}(\S+)", SECTIONS["EXIT CODES"], re.MULTILINE)
    assert told == [*(str(int(code)) for code in ExitCode), f"{SIGNAL_BASE}+N"]


def test_every_entrypoint_is_named() -> None:
    assert set(COMMANDS) > ENTRYPOINTS


@pytest.mark.parametrize("line", COMMANDS)
def test_command_exists(line: str) -> None:
    program, *words = line.split()
    assert program in ENTRYPOINTS | {"espei", "espei-hpc"}
    assert program == "espei-hpc" or not words
    command: click.Command | None = commands
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands.get(word)
        assert command, line
        assert not command.hidden, line


@pytest.mark.parametrize("word", sorted(set(re.findall(r"espei-hpc (\w[\w-]*)", SECTIONS["EXAMPLES"]))))
def test_command_of_an_example_is_listed(word: str) -> None:
    assert any(f"{line} ".startswith(f"espei-hpc {word} ") for line in COMMANDS)


def test_variables_are_those_that_something_reads() -> None:
    ours = set(re.findall(r"^ {4}([A-Z_]+) {2,}", SECTIONS["ENVIRONMENT"], re.MULTILINE))
    code = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    assert ours - {"APPTAINER_BIND"} == {name for name in ours if f'"{name}"' in code}
