"""One worker as seen from the client, and the watch over all of them.

Everything here runs on the client's own event loop. What happens is put into
a queue, as a call for the pool to make in the caller's thread.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any

import distributed
from distributed.comm.addressing import get_address_host_port

from espei_hpc.workers.runner import Answer, Runner, Trouble, WorkerPlace

Events = SimpleQueue[Callable[[], None]]
ANSWER_SECONDS = 1.0
"""A host refuses at once; whoever waits has other things to do."""


class Remote:
    """The evaluator on one worker.

    Attributes:
        address: the worker's, as Dask has it.
        place: host, process and memory of the host; None until it told.
        ready: whether it has its evaluator.
        trouble: why it could not make one.
        memory: bytes that its process had when last heard of.
        peak: bytes that it had at most.
    """

    def __init__(self, client: distributed.Client, address: str) -> None:
        self.address = address
        self.place: WorkerPlace | None = None
        self.ready = False
        self.trouble: Trouble | None = None
        self.memory = 0
        self.peak = 0
        self._client = client
        self._tasks: set[asyncio.Task[None]] = set()
        self._future: Any = None
        self._actor: Any = None

    def start(
        self,
        call: Callable[[], Coroutine[Any, Any, Answer]],
        answered: Callable[[Answer], None],
        lost: Callable[[str], None],
        events: Events,
    ) -> None:
        """Have ``call`` run on the client's loop, and its answer or loss put into ``events``."""

        async def run() -> None:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 (a coroutine on a loop has its task)
            self._tasks.add(task)
            try:
                answer = await call()
                events.put(partial(answered, answer))
            except OSError:
                events.put(partial(lost, "its connection broke, or could not be made"))
            except (Exception, asyncio.CancelledError) as error:
                events.put(partial(lost, f"{type(error).__name__}: {error}"))
            finally:
                self._tasks.discard(task)

        asyncio.run_coroutine_threadsafe(run(), self._client.loop.asyncio_loop)

    async def make(self, packed: bytes) -> Answer:
        """Make the evaluator there."""
        self._future = self._client.submit(
            Runner, actor=True, workers=[self.address], allow_other_workers=False, pure=False
        )
        await self._client.gather(self._future, asynchronous=True)
        # An actor takes whichever client is current, which may be somebody else's.
        with self._client.as_current():
            self._actor = distributed.Actor(Runner, self.address, self._future.key)
        self.place = await self._actor.place()
        answer: Answer = await self._actor.make(packed)
        return answer

    async def run(self, arguments: bytes) -> Answer:
        """Evaluate there."""
        answer: Answer = await self._actor.run(arguments)
        return answer

    async def release(self) -> None:
        """Give up what is under way, and let the worker forget the evaluator."""
        for task in self._tasks:
            task.cancel()
        if self._future is not None:
            # Not just released: a cycle of references in each Actor's call keeps it until some collection.
            with suppress(Exception):  # of a client that is closed
                await self._client.cancel([self._future], asynchronous=True, force=True)

    def note_memory(self, memory: int, peak: int = 0) -> None:
        """Take note of the bytes that its process has, and has had at most."""
        self.memory = memory
        self.peak = max(self.peak, memory, peak)

    @property
    def host(self) -> str:
        """The name of its host; empty until it told."""
        return self.place.host if self.place else ""

    def __str__(self) -> str:
        """Worker, host and process, as messages name them."""
        if self.place is None:
            return f"worker {self.address}"
        return f"worker {self.address} on {self.place.host} (pid {self.place.pid})"

    @property
    def used(self) -> str:
        """The memory it had, as messages tell it."""
        of_host = f" of {gigabytes(self.place.memory)} on the host" if self.place else ""
        return f"memory {gigabytes(self.memory)}, at most {gigabytes(self.peak)}{of_host}"


def refuses(address: str) -> bool:
    """Whether the host of an address is there and says that nobody listens at it."""
    try:
        with socket.create_connection(get_address_host_port(address), timeout=ANSWER_SECONDS):
            return False
    except OSError as error:
        return isinstance(error, ConnectionRefusedError)


async def watch(
    client: distributed.Client,
    seen: Callable[[Mapping[str, Mapping[str, Any]]], None],
    events: Events,
    every: float,
) -> None:
    """Ask the scheduler again and again for its workers, and put each answer into ``events``."""
    while True:
        workers: Mapping[str, Mapping[str, Any]] = {}
        with suppress(Exception):  # a scheduler that is gone shows in the client's status
            # As Client.scheduler_info says; its own cached value may lack the workers.
            told = await asyncio.wait_for(client.scheduler.identity(n_workers=-1), 60)
            workers = told["workers"]
            events.put(partial(seen, workers))
        # Telling of a thousand workers takes the scheduler some 50 ms.
        await asyncio.sleep(max(every, len(workers) / 100))


def gigabytes(size: int) -> str:
    """Return a number of bytes as people read it."""
    return f"{size / 1e9:.2f} GB"
