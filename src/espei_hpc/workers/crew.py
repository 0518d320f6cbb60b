"""The workers of a fit: workers that join or are lost, and whether all have the same likelihood."""

import asyncio
import pickle
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

import distributed

from espei_hpc.workers import refusals
from espei_hpc.workers.clock import Clock
from espei_hpc.workers.limits import Limits
from espei_hpc.workers.remote import Events, Remote, refuses, watch
from espei_hpc.workers.runner import Answer

CLOSING = 5.0
"""Time limit of a clean shutdown, s."""


class Crew:
    """Keeps an evaluator on every worker of a cluster.

    Args:
        client: a client of the cluster.
        packed: input from which ``Runner.make`` builds the evaluator.
        events: queue of callbacks, to be called in the caller's thread.
        clock: measures waiting times.
        limits: time limits.
        joined: called with each worker whose evaluator is ready.
        left: called with each such worker that is lost.

    Attributes:
        notes: messages for the user about workers.
        description: the first evaluator's description, as a tuple of one; None before there is one.
    """

    def __init__(
        self,
        client: distributed.Client,
        packed: bytes,
        events: Events,
        clock: Clock,
        limits: Limits,
        *,
        joined: Callable[[Remote], None],
        left: Callable[[Remote], None],
    ) -> None:
        self.notes: list[str] = []
        self.description: tuple[Any] | None = None
        self._client, self._packed, self._events = client, packed, events
        self._clock, self._limits = clock, limits
        self._joined, self._left = joined, left
        self._first: frozenset[str] | None = None
        """The workers present at the start; no message is needed when they join."""
        self._remotes: dict[str, Remote] = {}
        self._losses: dict[str, int] = {}
        self._latest: deque[str] = deque(maxlen=refusals.LAST)
        """The latest notes, also those that the caller has already taken."""
        self._watch: Future[None] | None = None
        self._manned = self._connected = self._clock.now()

    def __getitem__(self, address: str) -> Remote:
        """The worker at an address."""
        return self._remotes[address]

    def __contains__(self, remote: Remote) -> bool:
        """Whether this worker is in use, and not an earlier one at the same address."""
        return self._remotes.get(remote.address) is remote

    @property
    def making(self) -> int:
        """Number of workers that are building their evaluator."""
        return sum(not (remote.ready or remote.trouble) for remote in self.remotes)

    @property
    def remotes(self) -> list[Remote]:
        """All workers that are not lost."""
        return list(self._remotes.values())

    @property
    def connected(self) -> bool:
        """Whether the scheduler is connected."""
        return bool(self._client.status == "running")

    def start(self) -> None:
        """Start to watch for workers."""
        self._manned = self._connected = self._clock.now()
        watching = watch(self._client, self._seen, self._events, self._limits.poll)
        self._watch = asyncio.run_coroutine_threadsafe(watching, self._client.loop.asyncio_loop)

    def close(self) -> None:
        """Release everything that the cluster holds for us."""

        async def release() -> None:
            for remote in self.remotes:
                await remote.release()

        if self._watch is not None:
            self._watch.cancel()
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(release(), self._client.loop.asyncio_loop).result(CLOSING)
        self._remotes = {}

    def note(self, text: str) -> None:
        """Record a message for the user."""
        self.notes.append(text)
        self._latest.append(text)

    def check(self, now: float) -> None:
        """Raise a Refusal if the scheduler or all workers have been missing for too long."""
        if not self.connected:
            gone = now - self._connected
            if gone > self._limits.workers or self._client.status == "closed" or self._refused(gone):
                raise refusals.scheduler_lost(self._client, gone)
            self._manned = now  # without a scheduler no worker can join
            return
        self._connected = now
        if any(remote.ready for remote in self.remotes):
            self._manned = now
            return
        making = [remote for remote in self.remotes if not remote.trouble]
        if self._remotes and not making and self.description is None:
            raise refusals.no_evaluator(self.remotes)
        if now - self._manned > (self._limits.making if making else self._limits.workers):
            raise refusals.no_worker(now - self._manned, making, list(self._latest))

    def _refused(self, gone: float) -> bool:
        """Whether the scheduler's host refuses connections: a killed scheduler does not come back."""
        return gone > self._limits.refusal and refuses(self._client.scheduler.address)

    def lose(self, remote: Remote, why: str) -> None:
        """Continue without a worker; if it is still running, it joins again."""
        if remote not in self:
            return
        del self._remotes[remote.address]
        losses = self._losses[remote.address] = self._losses.get(remote.address, 0) + 1
        last = "; it is now excluded" if losses == self._limits.deaths else ""
        self.note(f"lost {remote}: {why}; {remote.used}{last}")
        asyncio.run_coroutine_threadsafe(remote.release(), self._client.loop.asyncio_loop)
        if remote.ready:
            self._left(remote)

    def _seen(self, workers: Mapping[str, Mapping[str, Any]]) -> None:
        """Compare with the workers known to the scheduler."""
        self._first = frozenset(workers) if self._first is None else self._first
        for address in self._remotes.keys() - workers.keys():
            self.lose(self._remotes[address], "it left the cluster")
        for address, worker in workers.items():
            if address in self._remotes:
                self._remotes[address].note_memory(worker["metrics"].get("memory", 0))
            elif self._losses.get(address, 0) < self._limits.deaths:
                self._join(address)

    def _join(self, address: str) -> None:
        remote = self._remotes[address] = Remote(self._client, address)
        remote.start(
            partial(remote.make, self._packed),
            partial(self._made, remote),
            partial(self.lose, remote),
            self._events,
        )

    def _made(self, remote: Remote, answer: Answer) -> None:
        if remote not in self:
            return
        remote.note_memory(answer.memory, answer.peak)
        if answer.trouble is not None:
            remote.trouble = answer.trouble
            self.note(f"{remote} is excluded: it could not build the likelihood: {answer.trouble.error}")
            return
        description = pickle.loads(answer.value)  # noqa: S301 (from our own runner)
        if self.description is None:
            self.description = (description,)
        elif description != self.description[0]:
            raise refusals.other_description(remote, self.description[0], description)
        if remote.address not in (self._first or ()) or remote.address in self._losses:
            self.note(f"{remote} joined")
        remote.ready = True
        self._joined(remote)
