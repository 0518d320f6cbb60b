"""No block of a document is only there to be looked at: it parses, its commands exist, or it is run."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import click
import pytest
import yaml

from amounts import mostly_long
from docs.documents import DOCUMENTS, PAGES, Block, blocks, fences, lines_of, marks
from espei_hpc.batch import SUBMISSIONS
from espei_hpc.cli import commands as espei_hpc
from support import BIN, EXAMPLE, ROOT, Commands

ALL = [block for document in DOCUMENTS for block in blocks(document)]
TO_RUN = sorted(
    (page for page in PAGES if any(block.run for block in blocks(page))),
    key=lambda page: page.name != "laptop.md",
)
"""Pages with blocks to be run; the first is the one that a newcomer reads first."""
SHELL = [block for block in ALL if block.language == "bash"]
HANDED_ON = {"run-fit": "fit", "wait-for-cluster": "wait"}
"""Entrypoints that are a command of espei-hpc."""
ENTRYPOINTS = {path.name for path in (ROOT / "entrypoints").iterdir()}
FOREIGN = {"bash", "cat", "cd", "espei", "export", "git", "kill", "ln", "ls", "mkdir", "pip", "python"}
"""Programs of every system; nothing of ours to look up."""
CONTAINER_OPTIONS = {"--user": 1, "-v": 1, "-w": 1, "--rm": 0, "--bind": 1, "--env": 1, "--userns=keep-id": 0}
"""Options of container engines in the documents, and how many words follow."""
SUBMIT = {submission.command for submission in SUBMISSIONS.values()}
ITERATIONS = 8
"""Of the example's fit where blocks are run: enough for a report."""
MAKE = (ROOT / "Makefile").read_text() + "".join(path.read_text() for path in ROOT.glob("*.mk"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_block_is_overlooked(document: Path) -> None:
    """Fences that are indented, or with more than a language behind them, are not read here."""
    assert len(fences(document)) == 2 * len(blocks(document))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_mark_stands_before_a_block_that_is_run(document: Path) -> None:
    run = [block for block in blocks(document) if block.run]
    assert len(run) == marks(document)
    assert {block.language for block in run} <= {"bash"}
    assert document in PAGES or not run


@pytest.mark.parametrize("block", ALL, ids=str)
def test_every_block_has_a_language_and_parses(block: Block) -> None:
    match block.language:
        case "bash":
            done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        case "yaml":
            yaml.safe_load(block.text)
        case "json":
            json.loads(block.text)
        case "python":
            compile(block.text, str(block.document), "exec")
        case other:
            assert other in ("text", "cff")


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_every_command_and_option_exists(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A directory of the user's modules is looked for at once.
    (tmp_path / "code").mkdir()
    monkeypatch.chdir(tmp_path)
    for command in lines_of(block):
        for words in _simple(command):
            _check(words)


def _simple(command: str) -> Iterator[list[str]]:
    """Take a line apart into the commands it runs; what a substitution holds is one of them."""
    inner = re.findall(r"<\(([^()]*)\)", command)
    for text in inner:
        yield shlex.split(text)
    # A script read from a substitution is espei-mpi, wherever it comes from.
    outer = re.sub(r"\bbash <\([^()]*espei-mpi\)", "espei-mpi", command)
    for part in re.split(r"&&|\|\||[|;&]", re.sub(r"\d?>&?\d?\S*", "", outer)):
        words = shlex.split(part)
        while words and re.fullmatch(r"\w+=.*", words[0]):
            words = words[1:]
        if words:
            yield words


def _check(words: list[str]) -> None:
    program, *rest = words
    if program == "nohup":
        return _check(rest)
    if program in ("podman", "docker", "apptainer"):
        return _in_container(program, rest)
    if program == "espei-hpc":
        return _click(espei_hpc, rest)
    if program in HANDED_ON:
        return _click(espei_hpc, [HANDED_ON[program], *rest])
    if program in ENTRYPOINTS:
        return _entrypoint(program, rest)
    if program == "make":
        return _make(rest)
    if program in SUBMIT:
        return _script(rest[-1].removeprefix("<"))
    assert program in FOREIGN, words
    return None


def _in_container(program: str, rest: list[str]) -> None:
    if program == "apptainer" and rest[0] in ("verify", "run-help", "test"):
        return
    if program == "apptainer" and rest[0] == "build":
        assert (ROOT / rest[-1]).suffix == ".def"
        assert (ROOT / rest[-1]).is_file()
        return
    assert rest[0] in ("exec", "run"), rest
    runs, rest = rest[0] == "run", rest[1:]
    while rest[0].startswith("-"):
        rest = rest[1 + CONTAINER_OPTIONS[rest[0]] :]
    words = rest[1:]
    # The image's own way to run has this word.
    _check(["espei-hpc", *words] if program == "apptainer" and runs and words[0] == "install" else words)


def _click(command: click.Command, words: list[str]) -> None:
    """Have click take the words as it would, options, values and all, and run nothing."""
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, *words = words
        assert name in command.commands, name
        command = command.commands[name]
    # --help and --version end here.
    with suppress(click.exceptions.Exit):
        command.make_context(command.name, list(words))


def _entrypoint(program: str, words: list[str]) -> None:
    told = _help(program)
    for option in (word for word in words if re.match("--?[a-z]", word)):
        assert re.search(rf"(?<![\w-]){re.escape(option.partition('=')[0])}(?![\w-])", told), (
            f"{program} {option}"
        )


@cache
def _help(program: str) -> str:
    return subprocess.run([BIN / program, "--help"], capture_output=True, text=True, check=True).stdout


def _make(words: list[str]) -> None:
    for word in words:
        target = word if "=" not in word else None
        assert target is None or re.search(rf"^{re.escape(word)}:", MAKE, re.MULTILINE), word


def _script(name: str) -> None:
    assert list(ROOT.glob(f"*-examples/{name}")), f"{name} is no example"


@pytest.mark.all
@pytest.mark.parametrize("page", mostly_long(*TO_RUN), ids=lambda page: page.name)
def test_blocks_to_be_run_do_run_in_a_copy_of_the_example(
    page: Path, commands: Commands, tmp_path: Path
) -> None:
    place = tmp_path / "cu-mg"
    shutil.copytree(EXAMPLE, place)
    settings = place / "mcmc.yaml"
    settings.write_text(settings.read_text().replace("iterations: 20 ", f"iterations: {ITERATIONS} "))
    text = "\n".join(f"(\n{block.text})" for block in blocks(page) if block.run)
    script = f"set -euo pipefail\n{text}"
    env = {"PATH": f"{BIN}:/usr/bin:/bin", "ESPEI_HPC_VERIFY": "500"}
    result = Commands(place, commands.tag).run("bash", "-c", script, env=env)
    assert result.code == 0, result.output
