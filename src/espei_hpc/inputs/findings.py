"""Collecting all faults of an input, so that the user sees all of them at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from espei_hpc.errors import Fault, Refusal, reason
from espei_hpc.exit_codes import ExitCode


def named(names: Iterable[object], most: int = 6) -> str:
    """List names for a message; of many only the first few."""
    words = list(map(str, names)) if isinstance(names, list | tuple) else sorted(map(str, names))
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


@dataclass
class Findings:
    """The results of checking one input.

    Attributes:
        path: the input file, shown with every key.
        faults: faults that make the input unusable.
        uncreatable: outputs that cannot be written.
        notes: what is overridden or ignored, one line each.
    """

    path: Path
    faults: list[Fault] = field(default_factory=list)
    uncreatable: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def fault(self, key: str, what: str, cure: str = "") -> None:
        """Record a fault under a key of the input."""
        self.faults.append(Fault(f"{self.path}: {key}", what, cure))

    def fault_in(self, file: Path | str, what: str, cure: str = "") -> None:
        """Record a fault inside a file that the input names."""
        self.faults.append(Fault(str(file), what, cure))

    def cannot_create(self, key: str, what: str, cure: str = "") -> None:
        """Record an output that cannot be written."""
        self.uncreatable.append(Fault(f"{self.path}: {key}", what, cure))

    def note(self, text: str) -> None:
        """Record a note, which does not stop the fit."""
        self.notes.append(" ".join(text.split()))

    def guard(self, key: str, what: str = "") -> "Guard":
        """Turn an exception inside a ``with`` block into a fault under ``key``.

        Args:
            key: the key of the input that the block depends on.
            what: what failed; precedes the reason.
        """
        return Guard(self, key, what)

    def refuse(self) -> None:
        """Raise if there is any fault.

        Raises:
            Refusal: with every fault, and the notes below: (BAD_INPUT), or
                (CANNOT_CREATE) if outputs are the only faults.
        """
        notes = [f"note: {note}" for note in self.notes]
        if self.faults:
            raise Refusal(ExitCode.BAD_INPUT, [*self.faults, *self.uncreatable], notes)
        if self.uncreatable:
            raise Refusal(ExitCode.CANNOT_CREATE, self.uncreatable, notes)


@dataclass(frozen=True)
class Guard:
    """A ``with`` block whose exceptions become faults; made by :meth:`Findings.guard`."""

    findings: Findings
    key: str
    what: str

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Record an exception; interrupts and exits pass through."""
        if isinstance(error, Exception):
            self.findings.fault(self.key, f"{self.what}: {reason(error)}" if self.what else reason(error))
            return True
        return False
