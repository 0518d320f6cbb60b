"""A calculation in a separate process, so that the report is written even if it crashes or hangs."""

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, Self

from espei_hpc.inputs.quiet import quiet

SECONDS = 300
"""Time limit of a calculation."""
Send = Callable[[Any], None]


class Unavailable(Exception):
    """The calculation is not possible; the message says why."""


class _End(NamedTuple):
    """The last message of a process: why it ended early; empty if it finished."""

    reason: str


class Child:
    """A calculation in a separate process; a context manager that ends it.

    Args:
        prepare: returns the input of the calculation, or raises ``Unavailable``.
        work: the calculation; called in the process with the input, and a function that sends a result.
        seconds: its time limit.
    """

    def __init__(self, prepare: Callable[[], Any], work: Callable[[Any, Send], None], seconds: float) -> None:
        self._seconds = seconds
        self._reason = ""
        try:
            inputs = prepare()
        except Exception as error:
            self._reason = _reason(error)
            return
        context = multiprocessing.get_context("spawn")
        self._results, self._end = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(work, inputs, self._end), daemon=True)

    def __enter__(self) -> Self:
        if not self._reason:
            self._process.start()
            self._end.close()
        self._deadline = time.monotonic() + self._seconds
        return self

    def __exit__(self, *_: object) -> None:
        if not self._reason:
            self._process.kill()
            self._process.join()

    def results(self) -> tuple[list[Any], str]:
        """Wait for the calculation.

        Returns:
            All results that it sent, and why it ended early; empty if it finished.
        """
        found: list[Any] = []
        if self._reason:
            return found, self._reason
        try:
            while self._results.poll(max(0.0, self._deadline - time.monotonic())):
                message = self._results.recv()
                if isinstance(message, _End):
                    return found, message.reason
                found.append(message)
        except (EOFError, OSError):
            self._process.join(1)
            return found, f"its process ended with exit code {self._process.exitcode}"
        return found, f"it took more than {self._seconds:g} s"


def _work(work: Callable[[Any, Send], None], inputs: Any, connection: Connection) -> None:
    """Run the process that calculates."""
    with quiet():
        try:
            work(inputs, connection.send)
        except Exception as error:
            connection.send(_End(_reason(error)))
        else:
            connection.send(_End(""))


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, Unavailable) else f"{type(error).__name__}: {error}"
