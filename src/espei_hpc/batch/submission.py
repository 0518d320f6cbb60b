"""How job scripts of a batch system are named and submitted."""

import re
import shlex
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Submission:
    """How job scripts of a batch system are named and submitted.

    Attributes:
        system: name of the batch system in ``espei-hpc job``; ``scripts/templates/SYSTEM.j2`` is the
            template, and ``SYSTEM-examples`` has the examples.
        title: the batch system, as shown to users.
        command: the command that submits.
        ending: of the file name of a script.
        directive: how a line that the batch system reads begins.
        reads_input: whether the command reads the script from its standard input.
        seconds: whether a walltime has seconds: ``24:00:00``, not ``24:00``.
        longest_name: most characters in the name of a job, which then consists of letters, digits and
            ``_ - .`` and begins with a letter; None if any file name is accepted.
        dialects: forms of the directives, and which batch systems take them; the first is the default.
    """

    system: str
    title: str
    command: str
    ending: str
    directive: str
    reads_input: bool = False
    seconds: bool = True
    longest_name: int | None = None
    dialects: dict[str, str] = field(default_factory=dict)

    def words(self, script: str) -> list[str]:
        """Return the command that submits a script; if it reads its input, that is the script."""
        return [self.command] if self.reads_input else [self.command, script]

    def typed(self, script: str) -> str:
        """Return the command that submits a script, as users type it."""
        return (
            f"{self.command} <{shlex.quote(script)}" if self.reads_input else shlex.join(self.words(script))
        )

    def walltime(self, hours: float) -> str:
        """Return hours as the batch system reads them, rounded to minutes."""
        minutes = int(hours * 60 + 0.5)
        return f"{minutes // 60:02d}:{minutes % 60:02d}{':00' if self.seconds else ''}"

    def job_name(self, script: str) -> str:
        """Return a name for the job of a script; empty if the batch system accepts that of the file."""
        name = Path(script).name
        if self.longest_name is None or _ACCEPTED_NAME.fullmatch(name):
            return ""
        # é is e and an accent.
        letters = unicodedata.normalize("NFKD", Path(script).stem).encode("ascii", "ignore").decode()
        words = re.findall(r"[\w.-]+", letters, re.ASCII)
        name = "_".join(words).strip("_.-")
        if not name[:1].isalpha():
            name = f"fit-{name}" if name else "fit"
        return name[: self.longest_name].rstrip("_.-")


_ACCEPTED_NAME = re.compile(r"[A-Za-z][\w.-]{0,200}", re.ASCII)
"""A file name that every batch system accepts as the name of a job; those with a smaller limit cut it off."""
