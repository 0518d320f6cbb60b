"""Error messages for users.

Every refusal of this project is a :class:`Refusal`: an exit code and one line
per fault. Only ``cli`` prints them; no other part writes to the terminal.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from espei_hpc.exit_codes import ExitCode

LONGEST_REASON = 400
"""Characters of a message from below that are shown: ESPEI prints whole datasets into some."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        where: file and key, for example ``x.yaml: mcmc.input_db``.
        what: what is wrong and, if it is not obvious, why that matters.
        cure: what the user can do about it; empty if ``what`` is enough.
    """

    where: str
    what: str
    cure: str = ""

    def __str__(self) -> str:
        """One line: where, what, cure."""
        text = f"{self.where}: {self.what}"
        if self.cure:
            text += f"; {self.cure}"
        # The message of an exception may have several lines; a fault is one line.
        return " ".join(text.split())


class Refusal(Exception):
    """Raised to end a command with an exit code and one line per fault, without a traceback.

    Args:
        code: the exit code.
        faults: everything that is wrong, in reading order.
        details: further lines, such as the end of a log, printed indented below the faults.
    """

    def __init__(self, code: ExitCode, faults: Iterable[Fault], details: Iterable[str] = ()) -> None:
        self.code = code
        self.faults = tuple(faults)
        self.details = tuple(details)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def refuse_input(where: str, what: str, cure: str = "") -> NoReturn:
    """Raise a :class:`Refusal` (BAD_INPUT) with the one fault of a file that cannot be read any further."""
    raise Refusal(ExitCode.BAD_INPUT, [Fault(where, what, cure)])


def reason(error: BaseException) -> str:
    """Return the message of an exception of ESPEI or pycalphad in one line."""
    text = " ".join(str(error).split())
    if len(text) > LONGEST_REASON:
        text = text[:LONGEST_REASON] + " …"
    # The message of these is only an operand, not a sentence.
    if isinstance(error, LookupError | AttributeError | TypeError | ArithmeticError) or not text:
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return text
