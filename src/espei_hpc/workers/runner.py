"""What a worker holds: one evaluator, and how its answers are told.

Imports the standard library only; all that is heavy comes with the evaluator.
"""

import os
import pickle
import resource
import socket
import time
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

PAGE = os.sysconf("SC_PAGE_SIZE")


class Trouble(NamedTuple):
    """An exception on a worker, told in plain text: its own class may not exist where it is read."""

    error: str
    """Type and text."""
    traceback: str
    memory: bool
    """Whether it was a MemoryError."""


class Answer(NamedTuple):
    """What became of one call."""

    value: bytes
    """Pickled; empty where there was trouble."""
    trouble: Trouble | None
    seconds: float
    """Wall clock time of the call on the worker."""
    memory: int
    """Bytes that the worker's process has now."""
    peak: int
    """Bytes that it had at most."""
    began: float
    """When the call began, s since 1970 by the worker's clock."""


class WorkerPlace(NamedTuple):
    """Where a worker is."""

    host: str
    pid: int
    memory: int
    """Bytes of the host."""


class Runner:
    """Holds a worker's evaluator; a Dask actor, so its calls run one after the other.

    All that goes in and out is pickled apart from Dask's own protocol, so that
    what cannot be read is told like any other exception.
    """

    def __init__(self) -> None:
        self._evaluator: Any = None

    def place(self) -> WorkerPlace:
        """Tell where this is."""
        return WorkerPlace(socket.gethostname(), os.getpid(), os.sysconf("SC_PHYS_PAGES") * PAGE)

    def make(self, packed: bytes) -> Answer:
        """Make the evaluator from a pickled pair of factory and argument; the value is its description."""

        def made() -> Any:
            factory, recipe = pickle.loads(packed)  # noqa: S301 (from our own client)
            self._evaluator = factory(recipe)
            return self._evaluator.description

        return _told(made)

    def run(self, arguments: bytes) -> Answer:
        """Evaluate at pickled arguments."""

        def evaluated() -> Any:
            return self._evaluator(*pickle.loads(arguments))  # noqa: S301 (from our own client)

        return _told(evaluated)


def _told(call: Callable[[], Any]) -> Answer:
    began, start = time.time(), time.perf_counter()
    value, trouble = b"", None
    try:
        value = pickle.dumps(call(), protocol=pickle.HIGHEST_PROTOCOL)
    except BaseException as error:  # a SystemExit too must not leave the client without an answer
        lines = traceback.format_exception_only(error)
        trouble = Trouble(
            " ".join("".join(lines).split()), traceback.format_exc(), isinstance(error, MemoryError)
        )
    seconds = time.perf_counter() - start
    return Answer(value, trouble, seconds, _memory(), _peak(), began)


def _memory() -> int:
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * PAGE


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
