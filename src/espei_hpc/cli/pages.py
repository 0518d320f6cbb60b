"""The documentation pages for the terminal, and which page explains which refusal."""

import difflib
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from espei_hpc.containers import sif
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.shipped import shipped

BY_CODE = {
    ExitCode.FAILED: "troubleshooting",
    ExitCode.BAD_INPUT: "troubleshooting",
    ExitCode.UNAVAILABLE: "troubleshooting",
    ExitCode.CANNOT_CREATE: "troubleshooting",
    ExitCode.CONFIGURATION: "host-mpi",
    ExitCode.DEADLINE: "troubleshooting",
}
"""The page that explains an exit code; for a wrong command line, --help is enough."""
BY_SUBJECT = {
    r"time": "ranks",
    r"(host )?MPI|recipe .*": "host-mpi",
    # The address of a worker with other files or versions.
    r"--(worker-)?interface|\w+://.*": "troubleshooting",
    r"--worker-ports|--user-code": "usage",
    # A run directory that another start or another problem uses.
    r".*\.run": "resume",
}
"""The page by the subject of a refusal's first fault; it takes precedence over the exit code."""


def topics() -> dict[str, str]:
    """Return the title of each page by its topic (its file name without ``.md``)."""
    return {path.stem: _title(path.read_text()) for path in sorted(_place().glob("*.md"))}


def page(topic: str) -> str:
    """Return a page, Markdown.

    Raises:
        Refusal: (USAGE) if there is none.
    """
    known = topics()
    if topic not in known:
        close = difflib.get_close_matches(topic, known, n=1)
        cure = f"did you mean {close[0]}?" if close else f"the pages are {', '.join(known)}"
        what = "there is no such page (for a command: espei-hpc COMMAND --help)"
        raise Refusal(ExitCode.USAGE, [Fault(f"help {topic}", what, cure)])
    return (_place() / f"{topic}.md").read_text()


def about(refusal: Refusal) -> str | None:
    """Return the topic of the page about a refusal; None if there is none."""
    subject = refusal.faults[0].where if refusal.faults else ""
    for pattern, topic in BY_SUBJECT.items():
        if re.fullmatch(pattern, subject):
            return topic
    return BY_CODE.get(refusal.code)


def command(topic: str, environment: Mapping[str, str]) -> str:
    """Return the command that prints a page, as a user types it (outside an Apptainer image).

    Args:
        topic: topic of the page.
        environment: of this process, in which Apptainer sets the file of its image.
    """
    image = sif(environment)
    words = ["apptainer", "exec", image] if image else []
    return shlex.join([*words, "espei-hpc", "help", topic])


def _place() -> Path:
    return shipped("cli/docs", "docs")


def _title(text: str) -> str:
    heading = re.search(r"^# (.+)$", text, re.MULTILINE)
    return heading[1] if heading else ""
