"""Evaluations on the workers of a Dask cluster, each answered once, whatever becomes of the workers."""

import asyncio
import pickle
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty
from types import TracebackType
from typing import Any, Self

import distributed

from espei_hpc.pool import refusals
from espei_hpc.pool.dispatch import DEPTH, Bounds, Dispatcher, Job
from espei_hpc.pool.remote import Events, Remote, watch
from espei_hpc.pool.results import Done, Failed
from espei_hpc.pool.runner import Answer

TICK = 0.5
"""Seconds between two looks at what is overdue."""
CLOSING = 5.0
"""Seconds that a clean end may take."""


@dataclass(frozen=True)
class Limits:
    """How long what may take before it is given up; in seconds but for ``deaths``.

    Attributes:
        making: until a first worker has its evaluator.
        workers: without any worker, or without the scheduler.
        answer: without any answer, after the bound of the job that takes longest.
        poll: between two looks at which workers there are.
        deaths: losses of its worker after which a job is given up, and of a worker
            after which it is taken for good.
        pause: before a job that lost two workers goes to a third one: should the
            whole cluster be dying, that shows meanwhile.
    """

    making: float = 300.0
    workers: float = 60.0
    answer: float = 600.0
    poll: float = 2.0
    deaths: int = 3
    pause: float = 5.0


@dataclass
class _Out:
    """A job that is not answered yet."""

    job: Job
    arguments: bytes
    deaths: list[str] = field(default_factory=list)


class Pool:
    """Runs jobs on every worker of a cluster, one evaluator on each; to be used from one thread.

    Args:
        client: a synchronous client of the cluster. With ``direct_to_workers=True``
            calls do not pass the scheduler; each worker takes up to ``depth``
            connections of its ``connection_limit``.
        factory: called on each worker with ``packed``, returns the evaluator: a
            callable with an attribute ``description`` that can be pickled and
            compared. Must be importable there.
        packed: all that the evaluator is made from.
        depth: jobs at a worker, the running one included.
        bounds: when a job is overdue.
        limits: when it is all given up.

    Attributes:
        notes: what happened to workers, to be told to the user; the caller empties it.
    """

    def __init__(
        self,
        client: distributed.Client,
        factory: Callable[[bytes], Callable[..., Any]],
        packed: bytes,
        *,
        depth: int = DEPTH,
        bounds: Bounds | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.notes: list[str] = []
        self._client = client
        self._packed = pickle.dumps((factory, packed), protocol=pickle.HIGHEST_PROTOCOL)
        self._dispatcher = Dispatcher(depth, bounds)
        self._limits = limits or Limits()
        self._events: Events = Events()
        self._watch: Future[None] | None = None
        self._remotes: dict[str, Remote] = {}
        self._losses: dict[str, int] = {}
        self._description: tuple[Any] | None = None
        self._out: dict[Hashable, _Out] = {}
        self._moving: dict[Hashable, float] = {}
        """Jobs to be started (again) elsewhere, and from when on."""
        self._came: list[Done | Failed] = []
        self._tended = self._heard = self._manned = self._connected = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def workers(self) -> int:
        """Workers that have their evaluator now."""
        return len(self._dispatcher.workers)

    def start(self, still_wanted: Callable[[], None]) -> Any:
        """Have evaluators made on all workers, and wait for the first; the others join as they come.

        Args:
            still_wanted: called now and then; what it raises ends the waiting.

        Returns:
            The description of the evaluator.

        Raises:
            Refusal: if no worker makes one, or not in time.
        """
        self._manned = self._connected = time.monotonic()
        watching = watch(self._client, self._seen, self._events, self._limits.poll)
        self._watch = asyncio.run_coroutine_threadsafe(watching, self._client.loop.asyncio_loop)
        while self._description is None:
            still_wanted()
            self._hear(TICK)
            self._tend()
            troubled = [remote for remote in self._remotes.values() if remote.trouble]
            if troubled and len(troubled) == len(self._remotes):
                raise refusals.no_evaluator(troubled)
        return self._description[0]

    def room(self) -> int:
        """Jobs that can be given now."""
        return max(0, self._dispatcher.room() - len(self._moving))

    def give(self, job: Job) -> None:
        """Have a job run; only while there is room.

        Raises:
            LookupError: if there is none.
        """
        if not self._out:
            self._heard = time.monotonic()
        arguments = pickle.dumps(job.arguments, protocol=pickle.HIGHEST_PROTOCOL)
        self._out[job.key] = _Out(job, arguments)
        self._send(job)

    def wait(self, seconds: float) -> list[Done | Failed]:
        """Return what came, as soon as something did, at the latest after ``seconds``.

        Raises:
            Refusal: if the workers or the scheduler are gone, nothing answers any more,
                or a worker that joined made another evaluator than the others.
        """
        end = time.monotonic() + seconds
        while True:
            left = 0.0 if self._came else end - time.monotonic()
            heard = self._hear(min(TICK, left))
            self._tend()
            if not heard and (self._came or left <= 0):
                came, self._came = self._came, []
                return came

    def close(self) -> None:
        """Let the cluster forget all that is ours; takes a few seconds at most, even if workers hang."""

        async def release() -> None:
            for remote in self._remotes.values():
                await remote.release()

        if self._watch is not None:
            self._watch.cancel()
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(release(), self._client.loop.asyncio_loop).result(CLOSING)
        self._remotes = {}

    def _hear(self, seconds: float) -> bool:
        """Act on the next event, if one comes within ``seconds``."""
        try:
            event = self._events.get(timeout=max(0.0, seconds))
        except Empty:
            return False
        event()
        return True

    def _tend(self) -> None:
        """Now and then: move what is overdue, and give up what is hopeless."""
        now = time.monotonic()
        if now - self._tended < TICK:
            return
        self._tended = now
        overdue = self._dispatcher.overdue(now)
        for worker in dict.fromkeys(worker for worker, _ in overdue):
            self.notes.append(
                f"{self._remotes[worker]} has been silent for {self._dispatcher.bound(worker):.0f} s: "
                "its jobs go to others, and it gets no more until it answers"
            )
        for _, job in overdue:
            self._moving.setdefault(job.key, now)
        self._place(now)
        self._give_up(now)

    def _give_up(self, now: float) -> None:
        limits, remotes = self._limits, list(self._remotes.values())
        if self._client.status == "running":
            self._connected = now
        elif self._client.status == "closed" or now - self._connected > limits.workers:
            raise refusals.scheduler_lost(self._client, now - self._connected)
        making = [remote for remote in remotes if not remote.ready and not remote.trouble]
        if self._dispatcher.workers:
            self._manned = now
        elif now - self._manned > (limits.making if making else limits.workers):
            raise refusals.no_worker(now - self._manned, making, self.notes)
        if self._out and now - self._heard > limits.answer + self._dispatcher.patience:
            raise refusals.no_answer(now - self._heard, len(self._out), remotes)

    def _place(self, now: float) -> None:
        """Start the jobs that are to run elsewhere, as far as there is room."""
        if self._client.status != "running":
            return
        due = [self._out[key].job for key, start in self._moving.items() if start <= now]
        for job in sorted(due, key=lambda job: job.priority):
            with suppress(LookupError):
                self._send(job)
                del self._moving[job.key]

    def _send(self, job: Job) -> None:
        remote = self._remotes[self._dispatcher.give(job, time.monotonic())]
        arguments = self._out[job.key].arguments
        remote.start(
            partial(remote.run, arguments),
            partial(self._answered, remote, job),
            partial(self._lose, remote),
            self._events,
        )

    def _seen(self, workers: Mapping[str, Mapping[str, Any]]) -> None:
        """Compare with the workers that the scheduler knows."""
        for address in self._remotes.keys() - workers.keys():
            self._lose(self._remotes[address], "it left the cluster")
        for address, told in workers.items():
            if address in self._remotes:
                self._remotes[address].note_memory(told["metrics"].get("memory", 0))
            elif self._losses.get(address, 0) < self._limits.deaths:
                self._join(address)

    def _join(self, address: str) -> None:
        remote = self._remotes[address] = Remote(self._client, address)
        remote.start(
            partial(remote.make, self._packed),
            partial(self._made, remote),
            partial(self._lose, remote),
            self._events,
        )

    def _made(self, remote: Remote, answer: Answer) -> None:
        if self._remotes.get(remote.address) is not remote:
            return
        remote.note_memory(answer.memory, answer.peak)
        if answer.trouble is not None:
            remote.trouble = answer.trouble.error
            remote.traceback = answer.trouble.traceback
            self.notes.append(f"{remote} takes no part, it could not make its evaluator: {remote.trouble}")
            return
        description = pickle.loads(answer.value)  # noqa: S301 (from our own runner)
        if self._description is None:
            self._description = (description,)
        elif description != self._description[0]:
            raise refusals.other_description(remote, self._description[0], description)
        else:
            self.notes.append(f"{remote} joined")
        remote.ready = True
        self._dispatcher.join(remote.address, time.monotonic())
        self._place(time.monotonic())

    def _lose(self, remote: Remote, why: str) -> None:
        """Go on without a worker; should it still be there, it joins anew."""
        if self._remotes.get(remote.address) is not remote:
            return
        del self._remotes[remote.address]
        self._losses[remote.address] = self._losses.get(remote.address, 0) + 1
        self.notes.append(f"lost {remote}: {why}; {remote.used}")
        asyncio.run_coroutine_threadsafe(remote.release(), self._client.loop.asyncio_loop)
        if not remote.ready:
            return
        running = self._dispatcher.running(remote.address)
        now = time.monotonic()
        for job in self._dispatcher.leave(remote.address):
            self._move(job, remote, died=running is not None and job.key == running.key)
        self._place(now)

    def _move(self, job: Job, remote: Remote, *, died: bool) -> None:
        """Have a job of a lost worker run elsewhere, or give it up if it seems to be what kills them."""
        out = self._out[job.key]
        # When the scheduler is gone too, it is the cluster that dies, not this job that kills.
        if died and self._client.status == "running":
            out.deaths.append(f"{remote}: {remote.used}")
        if len(out.deaths) < self._limits.deaths:
            pause = self._limits.pause if len(out.deaths) > 1 else 0.0
            self._moving[job.key] = time.monotonic() + pause
            return
        self._dispatcher.drop(job)
        self._forget(job)
        cause = f"its worker died {len(out.deaths)} times, most likely ended by the system for want of memory"
        host = remote.place.host if remote.place else ""
        self._came.append(Failed(job, f"{cause}: {'; '.join(out.deaths)}", "", "", remote.address, host))

    def _answered(self, remote: Remote, job: Job, answer: Answer) -> None:
        if self._remotes.get(remote.address) is not remote:
            return
        self._heard = time.monotonic()
        remote.note_memory(answer.memory, answer.peak)
        if remote.address in self._dispatcher.silent:
            self.notes.append(f"{remote} answers again")
        if not self._dispatcher.finished(remote.address, job, answer.seconds, self._heard):
            return
        self._forget(job)
        self._came.append(_result(remote, job, answer))

    def _forget(self, job: Job) -> None:
        del self._out[job.key]
        self._moving.pop(job.key, None)


def _result(remote: Remote, job: Job, answer: Answer) -> Done | Failed:
    if answer.trouble is None:
        return Done(job, pickle.loads(answer.value), answer.seconds, remote.address)  # noqa: S301
    host = remote.place.host if remote.place else ""
    cause = f"memory: {remote}, {remote.used}" if answer.trouble.memory else f"exception: {remote}"
    return Failed(job, cause, answer.trouble.error, answer.trouble.traceback, remote.address, host)
