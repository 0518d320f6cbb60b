"""A worker as seen from the client, and the polling of all workers.

Everything here runs on the client's event loop. Events are put into a queue, as
callbacks that the pool calls in the caller's thread.
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
"""Timeout of a connection attempt: a host that refuses does so at once."""


class Remote:
    """The evaluator on one worker.

    Attributes:
        address: the worker's address, as Dask writes it.
        place: host, process and memory of the host; None until known.
        ready: whether its evaluator is ready.
        trouble: why it could not build one.
        memory: last known memory of its process, bytes.
        peak: maximum memory of its process, bytes.
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
        """Run ``call`` on the client's loop, and put its result or its failure into ``events``."""

        async def run() -> None:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 (a coroutine on a loop has its task)
            self._tasks.add(task)
            try:
                answer = await call()
                events.put(partial(answered, answer))
            except OSError:
                events.put(partial(lost, "the connection failed"))
            except (Exception, asyncio.CancelledError) as error:
                events.put(partial(lost, f"{type(error).__name__}: {error}"))
            finally:
                self._tasks.discard(task)

        asyncio.run_coroutine_threadsafe(run(), self._client.loop.asyncio_loop)

    async def make(self, packed: bytes) -> Answer:
        """Build the evaluator on the worker."""
        self._future = self._client.submit(
            Runner, actor=True, workers=[self.address], allow_other_workers=False, pure=False
        )
        await self._client.gather(self._future, asynchronous=True)
        # An actor uses the current client, which may be a different one.
        with self._client.as_current():
            self._actor = distributed.Actor(Runner, self.address, self._future.key)
        self.place = await self._actor.place()
        answer: Answer = await self._actor.make(packed)
        return answer

    async def run(self, arguments: bytes) -> Answer:
        """Evaluate on the worker."""
        answer: Answer = await self._actor.run(arguments)
        return answer

    async def release(self) -> None:
        """Cancel running calls, and release the evaluator on the worker."""
        for task in self._tasks:
            task.cancel()
        if self._future is not None:
            # Cancelled: a reference cycle in each Actor call would keep it until garbage collection.
            with suppress(Exception):  # of a client that is closed
                await self._client.cancel([self._future], asynchronous=True, force=True)

    def note_memory(self, memory: int, peak: int = 0) -> None:
        """Record current and maximum memory of its process, bytes."""
        self.memory = memory
        self.peak = max(self.peak, memory, peak)

    @property
    def host(self) -> str:
        """The name of its host; empty until known."""
        return self.place.host if self.place else ""

    def __str__(self) -> str:
        """Worker, host and process, for messages."""
        if self.place is None:
            return f"worker {self.address}"
        return f"worker {self.address} on {self.place.host} (pid {self.place.pid})"

    @property
    def used(self) -> str:
        """Its memory, for messages."""
        of_host = f" of {gigabytes(self.place.memory)} on the host" if self.place else ""
        return f"memory {gigabytes(self.memory)}, at most {gigabytes(self.peak)}{of_host}"


def refuses(address: str) -> bool:
    """Whether the host of an address refuses connections, because no process listens there."""
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
    """Poll the scheduler for its workers, and put each result into ``events``."""
    while True:
        workers: Mapping[str, Mapping[str, Any]] = {}
        with suppress(Exception):  # the client's status shows if the scheduler is lost
            # As in Client.scheduler_info, whose cached value may lack the workers.
            identity = await asyncio.wait_for(client.scheduler.identity(n_workers=-1), 60)
            workers = identity["workers"]
            events.put(partial(seen, workers))
        # Listing a thousand workers takes the scheduler about 50 ms.
        await asyncio.sleep(max(every, len(workers) / 100))


def gigabytes(size: int) -> str:
    """Format a number of bytes in GB."""
    return f"{size / 1e9:.2f} GB"
