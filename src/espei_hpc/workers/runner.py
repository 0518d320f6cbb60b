"""The part of the pool that runs on a worker: one evaluator, and the form of its results.

Imports the standard library only; heavy imports come with the evaluator.
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
    """An exception on a worker, as text: its class may not exist on the client."""

    error: str
    """Type and message."""
    traceback: str
    memory: bool
    """Whether it was a MemoryError."""


class Answer(NamedTuple):
    """The result of a call."""

    value: bytes
    """Pickled; empty after an exception."""
    trouble: Trouble | None
    seconds: float
    """Wall time of the call on the worker."""
    memory: int
    """Current memory of the worker's process, bytes."""
    peak: int
    """Maximum memory of the worker's process, bytes."""
    began: float
    """When the call began, s since 1970 by the worker's clock."""


class WorkerPlace(NamedTuple):
    """Host and process of a worker."""

    host: str
    pid: int
    memory: int
    """Memory of the host, bytes."""


class Runner:
    """Holds a worker's evaluator; a Dask actor, so its calls run one after the other.

    Arguments and results are pickled outside Dask's own protocol, so that pickling
    errors are reported like other exceptions.
    """

    def __init__(self) -> None:
        self._evaluator: Any = None

    def place(self) -> WorkerPlace:
        """Return host, process and memory of the host."""
        return WorkerPlace(socket.gethostname(), os.getpid(), os.sysconf("SC_PHYS_PAGES") * PAGE)

    def make(self, packed: bytes) -> Answer:
        """Build the evaluator from a pickled pair of factory and argument; return its description."""

        def made() -> Any:
            factory, recipe = pickle.loads(packed)  # noqa: S301 (from our own client)
            self._evaluator = factory(recipe)
            return self._evaluator.description

        return _answer(made)

    def run(self, arguments: bytes) -> Answer:
        """Evaluate with pickled arguments."""

        def evaluated() -> Any:
            return self._evaluator(*pickle.loads(arguments))  # noqa: S301 (from our own client)

        return _answer(evaluated)


def _answer(call: Callable[[], Any]) -> Answer:
    began, start = time.time(), time.perf_counter()
    value, trouble = b"", None
    try:
        value = pickle.dumps(call(), protocol=pickle.HIGHEST_PROTOCOL)
    except BaseException as error:  # the client must get a result even after a SystemExit
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
