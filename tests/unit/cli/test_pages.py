"""A refusal names the page about it, and there is that page."""

import re
import subprocess
from pathlib import Path

import pytest

from espei_hpc.cli import pages
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from support import BIN, ROOT, Commands

NAMED = {*pages.BY_CODE.values(), *pages.BY_SUBJECT.values()}


@pytest.mark.parametrize("topic", sorted(NAMED | {"likelihood", "reliability"}))
def test_page_that_is_named_exists(topic: str) -> None:
    assert pages.page(topic) == (ROOT / "docs" / f"{topic}.md").read_text()


def test_every_page_of_the_documentation_is_a_topic_with_a_title() -> None:
    assert set(pages.topics()) == {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert all(pages.topics().values())


@pytest.mark.parametrize("code", sorted(set(ExitCode) - {ExitCode.OK, ExitCode.STOPPED, ExitCode.USAGE}))
def test_every_failure_has_a_page(code: ExitCode) -> None:
    assert pages.about(Refusal(code, [Fault("x", "y")])) in pages.topics()


@pytest.mark.parametrize(
    ("code", "subject", "topic"),
    [
        (ExitCode.CONFIGURATION, "MPI", "host-mpi"),
        (ExitCode.CONFIGURATION, "srun", "host-mpi"),
        (ExitCode.CONFIGURATION, "--interface", "troubleshooting"),
        (ExitCode.CONFIGURATION, "--worker-interface", "troubleshooting"),
        (ExitCode.CONFIGURATION, "--worker-ports", "usage"),
        (ExitCode.UNAVAILABLE, "time", "ranks"),
        (ExitCode.UNAVAILABLE, "/data/x.run", "resume"),
        (ExitCode.USAGE, "recipe 'lumy'", "host-mpi"),
        (ExitCode.USAGE, "-n", None),
    ],
)
def test_subject_decides_before_the_exit_code(code: ExitCode, subject: str, topic: str | None) -> None:
    assert pages.about(Refusal(code, [Fault(subject, "y")])) == topic


def test_subjects_are_those_that_something_refuses() -> None:
    code = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    for subject in ("time", "MPI", "host MPI", "--user-code", "--worker-ports"):
        assert f'Fault("{subject}"' in code
    assert 'Fault(f"recipe ' in code
    assert '"--interface"' in code
    assert '"--worker-interface"' in code


def test_refusal_ends_with_the_command_that_prints_its_page(commands: Commands) -> None:
    refused = commands.run("espei-hpc", "check", "--in", "none.yaml")
    assert refused.code == ExitCode.BAD_INPUT
    *_, last = refused.output.splitlines()
    command = re.fullmatch("espei-hpc: more: (espei-hpc help .*)", last)
    assert command, refused.output
    shown = commands.run(*command[1].split())
    assert (shown.code, shown.output.strip()) == (0, pages.page("troubleshooting").strip())


def test_page_is_printed_out_of_the_image_that_said_so() -> None:
    inside = {"APPTAINER_CONTAINER": "/images/my espei.sif"}
    assert pages.command("ranks", inside) == "apptainer exec '/images/my espei.sif' espei-hpc help ranks"


def test_topics_are_listed_with_their_titles(commands: Commands) -> None:
    told = commands.run("espei-hpc", "help")
    assert told.code == 0, told.output
    assert {line.split(maxsplit=1)[0] for line in told.output.splitlines()} == set(pages.topics())


def test_page_that_is_not_there_is_a_wrong_command_line(commands: Commands) -> None:
    result = commands.run("espei-hpc", "help", "likelyhood")
    assert result.code == ExitCode.USAGE
    assert "did you mean likelihood?" in result.output


def test_page_is_rendered_on_a_terminal(tmp_path: Path) -> None:
    words = f"{BIN / 'espei-hpc'} help likelihood"
    shown = subprocess.run(
        ["script", "--quiet", "--return", "--command", words, tmp_path / "log"],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    title = pages.topics()["likelihood"]
    assert title in shown.stdout
    assert f"# {title}" not in shown.stdout
