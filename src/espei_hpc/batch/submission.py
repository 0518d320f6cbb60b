"""How job scripts of a batch system are named and submitted."""

import shlex
from dataclasses import dataclass, field


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
        dialects: forms of the directives, and which batch systems take them; the first is the default.
    """

    system: str
    title: str
    command: str
    ending: str
    directive: str
    reads_input: bool = False
    seconds: bool = True
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
