"""What went wrong, in the words a user reads.

Every refusal of this project is a :class:`Refusal`: an exit code and one line
per fault. Only ``cli`` prints them; no other part writes to the terminal.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from espei_hpc.exit_codes import ExitCode


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        where: file and key, for example ``x.yaml: mcmc.input_db``.
        what: what is wrong and, where it is not obvious, why that matters.
        cure: what the user can do about it; empty where ``what`` says it all.
    """

    where: str
    what: str
    cure: str = ""

    def __str__(self) -> str:
        """One line: where, what, cure."""
        text = f"{self.where}: {self.what}"
        if self.cure:
            text += f"; {self.cure}"
        # A message from below may span lines; one fault stays one line.
        return " ".join(text.split())


class Refusal(Exception):
    """Raised to end a command with an exit code and one line per fault, without a traceback.

    Args:
        code: the exit code.
        faults: all that is wrong, in the order to be read.
        details: further lines, such as the end of a log, printed indented below.
    """

    def __init__(self, code: ExitCode, faults: Iterable[Fault], details: Iterable[str] = ()) -> None:
        self.code = code
        self.faults = tuple(faults)
        self.details = tuple(details)
        super().__init__("\n".join(str(fault) for fault in self.faults))
